"""Who must be told what by when, why, and which unanswered question decides it?"""
