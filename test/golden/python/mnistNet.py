import torch
from torch import nn
from torch.nn import functional as F

HIDDEN = 128


class Net(nn.Module):
    def __init__(self, num_classes: int = 10, dropout: float = 0.25):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, HIDDEN)
        self.norm = nn.BatchNorm1d(HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, num_classes)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = self.norm(F.relu(self.fc1(x)))
        x = self.dropout2(x)
        return F.log_softmax(self.fc2(x), dim=1)
