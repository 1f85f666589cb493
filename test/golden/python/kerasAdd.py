from keras import layers, models, optimizers, regularizers
from keras.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, LeakyReLU, MaxPool2D

WEIGHT_DECAY = 1e-4

model = models.Sequential(name='cifar')
model.add(Conv2D(filters=32, kernel_size=(3, 3), padding='same', input_shape=(32, 32, 3),
                 kernel_regularizer=regularizers.l2(WEIGHT_DECAY)))
model.add(LeakyReLU(0.1))
model.add(BatchNormalization())
model.add(MaxPool2D(pool_size=(2, 2)))
for filters in (48, 64):
    model.add(Conv2D(filters, (3, 3), activation='elu', padding='same'))
    model.add(BatchNormalization(axis=-1))
    model.add(MaxPool2D())
    model.add(Dropout(0.3))
model.add(Flatten())
model.add(Dense(100, kernel_initializer='he_uniform'))
model.add(layers.Activation('relu'))
model.add(Dense(10, activation='softmax'))

model.compile(loss='categorical_crossentropy',
              optimizer=optimizers.RMSprop(learning_rate=1e-3),
              metrics=['accuracy', 'top_k_categorical_accuracy'])
