import keras
from keras import layers, ops


class Residual(layers.Layer):
    """Two convolutions beside a shortcut."""

    def __init__(self, filters, kernel=3, **kwargs):
        super().__init__(**kwargs)
        self.conv1 = layers.Conv2D(filters, kernel, padding="same")
        self.norm1 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(filters, kernel, padding="same")
        self.norm2 = layers.BatchNormalization()

    def call(self, inputs, training=None):
        x = ops.relu(self.norm1(self.conv1(inputs), training=training))
        x = self.norm2(self.conv2(x), training=training)
        return keras.activations.relu(x + inputs)


# @shrink-model input=[28, 28, 1]
class SmallResNet(keras.Model):
    def __init__(self, num_classes=10):
        super().__init__(name="small_resnet")
        self.conv = layers.Conv2D(24, 5, strides=2, activation="relu")
        self.blocks = [Residual(24), Residual(24)]
        self.pool = layers.GlobalAveragePooling2D()
        self.classifier = layers.Dense(num_classes)

    def call(self, inputs):
        x = self.conv(inputs)
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.pool(x))
