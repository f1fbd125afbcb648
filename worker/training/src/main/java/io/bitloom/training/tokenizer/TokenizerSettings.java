package io.bitloom.training.tokenizer;

import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.optim.Muon;

/**
 * How a tokenizer is trained.
 *
 * @param architecture of encoder and decoder
 * @param quantizer between them, with the weights of entropy and commitment
 * @param adamW constants of the optimizer
 * @param muon constants of Muon for the kernels; null where AdamW takes them too
 * @param learningRate over the run, for the discriminator as well
 * @param clip largest global norm of the gradients; 0 for no clipping
 * @param averageDecay decay of the moving average of the weights
 * @param partTokens tokens that go through the networks at a time
 * @param scales of the schedules that are trained
 * @param squaredWeight weight of the mean squared error, beside the L1 distance's 1
 * @param adversarialStart step at which the discriminator joins
 * @param adversarialWeight weight of its verdict in the loss; 0 for no discriminator
 * @param discriminatorWidth channels of the discriminator's first layer
 * @param device where it is trained
 * @param freezeEncoder whether only the decoder learns, so that pictures keep their bits
 * @param seed of the first weights
 * @param steps of the whole run
 */
public record TokenizerSettings(
    TokenizerConfig architecture,
    QuantizerConfig quantizer,
    AdamW.Settings adamW,
    Muon.Settings muon,
    LearningRate learningRate,
    double clip,
    double averageDecay,
    int partTokens,
    int scales,
    double squaredWeight,
    long adversarialStart,
    double adversarialWeight,
    int discriminatorWidth,
    TorchDevice device,
    boolean freezeEncoder,
    long seed,
    long steps) {}
