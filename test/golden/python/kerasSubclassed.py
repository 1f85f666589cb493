import tensorflow as tf


# @shrink-model input=[784]
class Classifier(tf.keras.Model):
    def __init__(self, hidden=256, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.stack = [tf.keras.layers.Dense(hidden, activation='relu') for _ in range(depth)]
        self.drop = tf.keras.layers.Dropout(0.3)
        self.out = tf.keras.layers.Dense(10)

    def call(self, inputs, training=False):
        x = inputs
        for layer in self.stack:
            x = layer(x)
        if training:
            x = self.drop(x, training=training)
        return self.out(x)
