"""The networks of models.ts in PyTorch: prints `name milliseconds` a line. Arguments: threads, seconds, names."""

import statistics
import sys
import time

import torch
from torch import nn


def mlp():
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 10),
    )


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after),
        )
        changes = stride > 1 or before != after
        self.shortcut = (
            nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
            if changes else nn.Identity()
        )

    def forward(self, x):
        return torch.relu(self.inner(x) + self.shortcut(x))


def residual():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2), Block(64, 64, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


def separable():
    def block(before, after, stride):
        return [
            nn.Conv2d(before, before, 3, stride, 1, groups=before, bias=False), nn.BatchNorm2d(before), nn.ReLU(),
            nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
        ]

    return nn.Sequential(
        nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        *block(32, 64, 1), *block(64, 128, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 128, batch_first=True)
        self.out = nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


MODELS = {
    "mlp": (mlp, (128, 784)),
    "cnn": (cnn, (128, 1, 28, 28)),
    "residual": (residual, (64, 3, 32, 32)),
    "separable": (separable, (64, 3, 32, 32)),
    "lstm": (Lstm, (128, 28, 28)),
}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    for name in sys.argv[3:]:
        build, shape = MODELS[name]
        torch.manual_seed(1)
        model = build()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        loss = nn.CrossEntropyLoss()
        x = torch.randn(shape)
        y = torch.arange(shape[0]) * 7 % 10
        times = []
        end = time.perf_counter() + float(sys.argv[2])
        while len(times) < 8 or time.perf_counter() < end:
            started = time.perf_counter()
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
            times.append((time.perf_counter() - started) * 1000)
        print(name, statistics.median(times[3:]))


main()
