"""What kind of incident is it, how severe, near miss or incident or serious incident?"""
