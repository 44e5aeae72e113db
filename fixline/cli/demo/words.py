"""The words of the invented city: streets, and what its residents write."""

from __future__ import annotations

DIRECTIONS = ("N", "S", "W", "E")
STREETS = (
    "Larkspur Ave",
    "Harbor St",
    "Old Mill Rd",
    "Prairie Ave",
    "Quarry St",
    "Juniper Ct",
    "Lighthouse Blvd",
    "Foundry St",
    "Willow Bend",
    "Cannery Row",
    "Orchard Pl",
    "Beacon Ave",
    "Canal St",
    "Elm Grove Rd",
    "Granite Ave",
    "Heron Way",
    "Ironwood Dr",
    "Market St",
    "Pier Ave",
    "Sycamore St",
)
DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "pothole": (
        "Deep hole in the right lane, cars swerve around it.",
        "Hole opened up again after the rain.",
        "Two potholes in front of the bus stop.",
        "Bike lane is broken up along half the block.",
        "",
    ),
    "street-light": (
        "Light has been out for a week.",
        "Whole block is dark since last night.",
        "Lamp flickers and buzzes.",
        "Alley light is out, hard to see the steps.",
        "",
    ),
    "graffiti": (
        "Tags on the garage door facing the alley.",
        "Paint all over the underpass wall.",
        "Sign is covered, cannot be read.",
        "Came back a day after it was removed.",
        "",
    ),
    "rodent-baiting": (
        "Rats in the alley behind the restaurant.",
        "Burrows along the garage wall.",
        "Saw three of them by the carts this morning.",
        "Rats under the deck, there are children here.",
        "",
    ),
    "abandoned-vehicle": (
        "Has not moved in weeks, two flat tyres.",
        "No plates, window broken.",
        "Parked across the hydrant, nobody knows whose it is.",
        "Full of garbage, smells of fuel.",
        "",
    ),
    "sanitation-code-violation": (
        "Carts overflow, lids do not close.",
        "Dumpster has not been emptied for ten days.",
        "Construction site has no fence, debris blows over the street.",
        "Garbage bags in the yard, rats come.",
        "",
    ),
}
TEXTS: dict[str, tuple[str, ...]] = {
    "vehicle": ("Grey sedan, older", "White panel van", "Red pick-up truck", "Blue compact car", "Black SUV"),
    "plate": ("LKP 1042", "LKP 7781", "TRK 309", "none"),
    "cause": ("Open carts behind the shop", "Bird feed in the yard", "Burrows under a slab"),
}
