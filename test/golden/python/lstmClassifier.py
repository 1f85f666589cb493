import torch
from torch import nn


# @shrink-model input=[28, 28]
class RNN(nn.Module):
    """Reads a picture row by row."""

    def __init__(self, input_size=28, hidden_size=64, num_classes=10):
        super().__init__()
        self.rnn = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        out, (h_n, c_n) = self.rnn(x)
        return self.head(out[:, -1, :])
