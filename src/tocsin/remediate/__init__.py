"""What was the cause, what is the fix, and does fresh data prove it?"""
