import keras
from keras.layers import Activation, Add, BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input


def residual_block(x, filters, downsample=False):
    shortcut = x
    strides = 2 if downsample else 1
    x = Conv2D(filters, 3, strides=strides, padding='same', use_bias=False)(x)
    x = BatchNormalization()(x)
    x = Activation('relu')(x)
    x = Conv2D(filters, 3, padding='same', use_bias=False)(x)
    x = BatchNormalization()(x)
    if downsample or shortcut.shape[-1] != filters:
        shortcut = Conv2D(filters, 1, strides=strides, padding='same')(shortcut)
    x = Add()([x, shortcut])
    return Activation('relu')(x)


def build_model(classes=10, widths=(16, 32)):
    inputs = Input(shape=(32, 32, 3), name='image')
    x = Conv2D(16, 3, padding='same')(inputs)
    for i, width in enumerate(widths):
        x = residual_block(x, width, downsample=i > 0)
        x = residual_block(x, width)
    x = GlobalAveragePooling2D()(x)
    outputs = Dense(classes, activation='softmax')(x)
    return keras.Model(inputs=inputs, outputs=outputs, name='resnet')


model = build_model()
model.compile('adam', 'sparse_categorical_crossentropy')
