"""The network of PyTorch's first tutorial, and one with blocks kept in dictionaries."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

CLASSES = ('plane', 'car', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')


# @shrink-model input=[3, 32, 32]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, self.num_flat_features(x))
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x

    def num_flat_features(self, x):
        size = x.size()[1:]  # all dimensions except the batch dimension
        num_features = 1
        for s in size:
            num_features *= s
        return num_features


# @shrink-model input=[3, 32, 32]
class Branches(nn.Module):
    """Squeeze and excitation beside a plain branch, chosen by name."""

    def __init__(self, width=32, reduced=8):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.acts = nn.ModuleDict({'relu': nn.ReLU(), 'leaky': nn.LeakyReLU(0.1)})
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, reduced, 1),
            nn.ReLU(),
            nn.Conv2d(reduced, width, 1),
            nn.Sigmoid(),
        )
        self.heads = nn.ModuleDict([['a', nn.Linear(width, 12)], ['b', nn.Linear(width, 20)]])
        self.out = nn.Linear(12 + 20, 10)

    def forward(self, x):
        x = self.acts['leaky'](self.stem(x))
        x = x * self.gate(x)
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        joined = torch.cat([head(x) for head in self.heads.values()], dim=-1)
        return self.out(self.acts['relu'](joined))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--batch-size', type=int, default=4)
    args = parser.parse_args()
    net = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
