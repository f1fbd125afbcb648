package io.bitloom.worker.verify;

import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;

/**
 * A small tokenizer and its input, drawn from a seed: the same on every machine, without a file.
 *
 * @param kind what is special about it
 * @param seed of everything
 * @param config the architecture
 * @param batch number of pictures
 * @param height rows of the feature maps, 1 to 14
 * @param width columns of the feature maps, 1 to 14
 */
record RandomTokenizer(
    Kind kind, long seed, TokenizerConfig config, int batch, int height, int width) {

  /** What is special about some tokenizers. */
  enum Kind {
    /** Far too few channels for Winograd's convolution. */
    NARROW(50, 24, 32, 48),
    /** Channels enough for it at some levels, on maps that are too small. */
    WIDE(40, 64, 72, 96),
    /** Maps just large enough for it too. */
    WINOGRAD(12, 128, 144),
    /** Biases of several times the weights' standard deviation, of both signs. */
    LARGE_BIASES(50, 24, 32, 48, 64, 72, 96),
    /** Maps whose means are many times their standard deviation. */
    LARGE_MEANS(50, 24, 32, 48, 64, 72, 96),
    /** Maps so large that Winograd's convolution is cut into strips. */
    STRIPS(1, 64);

    private final int count;
    private final int[] widths;

    Kind(int count, int... widths) {
      this.count = count;
      this.widths = widths;
    }
  }

  private static final int LARGEST_SIDE = 14;

  /** Multiplications of the pictures' way through a decoder: seconds for all, not minutes. */
  private static final double MOST_WORK = 1e8;

  private static final double MOST_WORK_OF_WINOGRAD = 3e9;

  /** Cells of a map with 64 tiles. */
  private static final long WINOGRAD_CELLS = 64 * 4 * 4;

  private static final int KERNEL = 9;

  /** The first {@code part} of a kind's tokenizers, between 0 and 1, rounded. */
  static List<RandomTokenizer> of(Kind kind, double part) {
    List<RandomTokenizer> tokenizers = new ArrayList<>();
    long count = Math.round(kind.count * part);
    for (int i = 0; i < count; i++) {
      long seed = 1000L * kind.ordinal() + i;
      tokenizers.add(kind == Kind.STRIPS ? large(seed) : small(kind, seed));
    }
    return tokenizers;
  }

  private static RandomTokenizer small(Kind kind, long seed) {
    Random random = new Random(seed);
    RandomTokenizer drawn = draw(kind, seed, random);
    while (!drawn.fits()) {
      drawn = draw(kind, seed, random);
    }
    return drawn;
  }

  private boolean fits() {
    return kind == Kind.WINOGRAD
        ? work() < MOST_WORK_OF_WINOGRAD && cells(0) >= WINOGRAD_CELLS
        : work() < MOST_WORK;
  }

  private static RandomTokenizer draw(Kind kind, long seed, Random random) {
    int shuffle = 1 + random.nextInt(2);
    int patch = random.nextBoolean() ? 8 : 16;
    int base = kind.widths[random.nextInt(kind.widths.length)];
    List<Integer> multiples = new ArrayList<>(List.of(1)); // the layout starts with the base
    int levels = Integer.numberOfTrailingZeros(patch / shuffle) + random.nextInt(2);
    while (multiples.size() < levels) {
      multiples.add(1 + random.nextInt(2));
    }
    int dimensions = 8 + random.nextInt(25);
    int blocks = 1 + random.nextInt(2);
    return new RandomTokenizer(
        kind,
        seed,
        new TokenizerConfig(dimensions, patch, base, multiples, blocks, 0, shuffle),
        1 + random.nextInt(3),
        1 + random.nextInt(LARGEST_SIDE),
        1 + random.nextInt(LARGEST_SIDE));
  }

  /** Convolutions from 128 channels over 208×176 pixels. */
  private static RandomTokenizer large(long seed) {
    var config = new TokenizerConfig(16, 16, 64, List.of(1, 2, 1, 1, 1), 1, 0, 1);
    return new RandomTokenizer(Kind.STRIPS, seed, config, 1, 13, 11);
  }

  private double work() {
    double work = 0;
    for (int level = 0; level < config.levels(); level++) {
      double channels = (double) config.baseCh() * config.chMult().get(level);
      work += cells(level) * channels * channels * KERNEL * 2 * (config.numResBlocks() + 1);
    }
    return work * batch;
  }

  private long cells(int level) {
    int doublings = Math.max(0, config.halvings() - level);
    return (long) height * width << 2 * doublings;
  }

  /** The weights; the caller closes them. */
  Weights weights() {
    Weights weights = new Weights(toString());
    TokenizerLayout.of(config)
        .forEach(
            (name, shape) -> {
              try (Scope scope = Scope.open()) {
                weights.put(name, weight(name, shape).generate(seed));
              }
            });
    return weights;
  }

  private RuleTensor weight(String name, long[] shape) {
    boolean bias = name.endsWith(".bias");
    if (name.contains("norm")) {
      return new RuleTensor(name, shape, bias ? 0 : 1, 0.3);
    }
    long fanIn = Arrays.stream(shape).skip(1).reduce(1, Math::multiplyExact);
    if (!bias) {
      return new RuleTensor(name, shape, 0, Math.sqrt(3.0 / fanIn)); // keeps the variance
    }
    return switch (kind) {
      case NARROW, WIDE, WINOGRAD, STRIPS -> new RuleTensor(name, shape, 0, 0.05);
      case LARGE_BIASES -> new RuleTensor(name, shape, 0, 1.5);
      case LARGE_MEANS -> new RuleTensor(name, shape, 6, 0.5);
    };
  }

  /** Summed codes (B, d, H, W), as large as those of several scales. */
  Tensor codes() {
    long[] shape = {batch, config.codebookDim(), height, width};
    return new RuleTensor("codes", shape, 0, 1).generate(seed);
  }

  /** Pictures (B, 3, H·p, W·p) of 8-bit RGB. */
  Tensor pictures() {
    long patch = config.patchSize();
    long[] shape = {batch, 3, height * patch, width * patch};
    Tensor noise = new RuleTensor("pictures", shape, 128, 127).generate(seed);
    return Tensors.to(noise, DType.U8);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "seed %d (base_ch %d, ch_mult %s, d %d, blocks %d, stride %d, pixel_shuffle %d, %d × %d×%d)",
        seed,
        config.baseCh(),
        config.chMult(),
        config.codebookDim(),
        config.numResBlocks(),
        config.patchSize(),
        config.pixelShuffle(),
        batch,
        height,
        width);
  }
}
