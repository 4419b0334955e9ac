"""Which form, which fields, what is still missing?"""
