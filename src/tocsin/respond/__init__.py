"""What is the next step, who does it, what needs approval?"""
