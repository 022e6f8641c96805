"""The sweep over torch's own op database: every op, on the samples torch tests itself with, beside torch.

python -m tests.conformance                            everything; goes on where it was stopped
python -m tests.conformance --only 'nn.functional.*pool*' --dtypes float32,int64 --again
python -m tests.conformance --dtypes modules --samples 0   torch's list of modules, every sample
python -m tests.conformance --shard 1/4                a quarter of it, for four machines
python -m tests.conformance --report                   what the results so far say
"""
