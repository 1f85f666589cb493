from torch import nn

model = nn.Sequential(
    nn.Flatten(),
    # @shrink
    nn.Linear(28 * 28, 512),
    nn.ReLU(),
    # @shrink multiple=8
    nn.Linear(512, 512),
    nn.ReLU(),
    nn.Linear(512, 10),
)
loss_fn = nn.CrossEntropyLoss()
