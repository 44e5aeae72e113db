"""What is read for lists, pages and supervisors: plain records, selected columns, one statement each.

Every function reads in the session that it is given, and none of them reads contact data.
"""
