"""What learners type in: pieces of the learning path, written as their users write them, run with both."""
