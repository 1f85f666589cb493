import keras
import numpy as np

train_features = np.zeros((10, 29), dtype="float32")

model = keras.Sequential(
    [
        keras.Input(shape=(29,)),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.summary()

metrics = [keras.metrics.FalseNegatives(name="fn"), keras.metrics.Precision(name="precision")]
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="binary_crossentropy", metrics=metrics)
model.fit(train_features, train_features, batch_size=2048, epochs=30, verbose=2)
