package io.bitloom.worker.verify;

import io.bitloom.engine.codes.Quantizer;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.Pixels;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Holds what a worker serves, by the quick ways of this CPU, to the accuracy of the plain way in
 * float32: for many random tokenizers the largest and the mean error against float64 are at most
 * twice as large. Needs no fixtures.
 *
 * <p>The plain way is that of training: convolutions one product after the other, maps with their
 * channels first.
 */
final class RandomTokenizersCheck {
  /** Stands where cases of fixtures have their file. */
  static final String NAME = "random_tokenizers";

  private static final double TIMES_THE_PLAIN_ERROR = 2;

  /**
   * Both ways end with a rounding to float32, and so does the float64 one: what they differ by is
   * luck where the plain way is not off by more than that.
   */
  private static final double ROUNDING_STEP = 0x1p-23;

  private final double part;

  /**
   * @param part of the tokenizers that are checked, above 0 and at most 1
   */
  RandomTokenizersCheck(double part) {
    this.part = part;
  }

  /**
   * Hands a case for each kind of tokenizer to the sink.
   *
   * @return whether all hold
   */
  boolean run(Consumer<CaseReport> sink) {
    boolean[] holds = {true};
    FileReport report =
        new FileReport(
            NAME,
            found -> {
              holds[0] &= found.holds();
              sink.accept(found);
            });
    for (RandomTokenizer.Kind kind : RandomTokenizer.Kind.values()) {
      List<RandomTokenizer> tokenizers = RandomTokenizer.of(kind, part);
      if (tokenizers.isEmpty()) {
        continue;
      }
      report.testCase(
          kind.name().toLowerCase(Locale.ROOT),
          found -> {
            for (RandomTokenizer drawn : tokenizers) {
              try (Scope scope = Scope.open()) {
                check(drawn, found);
              }
            }
          });
    }
    return holds[0];
  }

  private static void check(RandomTokenizer drawn, CaseReport found) {
    try (Weights weights = drawn.weights();
        Weights direct32 = trainable(weights, DType.F32);
        Weights direct64 = trainable(weights, DType.F64);
        VisualTokenizer served = new VisualTokenizer(drawn.config(), weights);
        VisualTokenizer direct = new VisualTokenizer(drawn.config(), direct32);
        VisualTokenizer exact = new VisualTokenizer(drawn.config(), direct64)) {
      checkDecoder(drawn, served, direct, exact, found);
      checkEncoder(drawn, served, direct, exact, found);
    }
  }

  /** A network whose weights are to learn computes the plain way. */
  private static Weights trainable(Weights weights, DType dtype) {
    Weights trainable = new Weights(weights.source());
    for (String name : weights.names()) {
      try (Scope scope = Scope.open()) {
        trainable.put(name, Tensors.to(weights.get(name), dtype).clone().requires_grad_(true));
      }
    }
    return trainable;
  }

  /** A worker decodes the pictures of a batch one by one. */
  private static void checkDecoder(
      RandomTokenizer drawn,
      VisualTokenizer served,
      VisualTokenizer direct,
      VisualTokenizer exact,
      CaseReport found) {
    Tensor codes = drawn.codes();
    Tensor reference = exact.decode(codes).detach();
    RoundingErrors plain = RoundingErrors.of(direct.decode(codes).detach(), reference);
    RoundingErrors limit = limit(plain, reference);
    List<Tensor> each =
        IntStream.range(0, drawn.batch())
            .mapToObj(i -> served.decode(codes.narrow(0, i, 1)))
            .toList();
    Tensor decoded = Tensors.concat(each, 0);
    compare(drawn + " decoded", decoded, reference, plain, limit, found);
    if (drawn.batch() > 1) {
      Tensor together = served.decode(codes);
      compare(drawn + " decoded together", together, reference, plain, limit, found);
    }
    List<Tensor> pictures =
        IntStream.range(0, drawn.batch())
            .mapToObj(i -> served.pictures(codes.narrow(0, i, 1)))
            .toList();
    Tensor bytes = Pixels.toBytes(decoded).permute(0, 2, 3, 1);
    found.equal(drawn + " pictures", Tensors.concat(pictures, 0), bytes);
  }

  /** Bits must be those of the exact features wherever these are further from 0 than the limit. */
  private static void checkEncoder(
      RandomTokenizer drawn,
      VisualTokenizer served,
      VisualTokenizer direct,
      VisualTokenizer exact,
      CaseReport found) {
    Tensor pictures = drawn.pictures();
    Tensor reference = exact.features(pictures).detach();
    RoundingErrors plain = RoundingErrors.of(direct.features(pictures).detach(), reference);
    RoundingErrors limit = limit(plain, reference);
    Tensor features = served.features(pictures);
    compare(drawn + " features", features, reference, plain, limit, found);
    Quantizer quantizer = served.quantizer().level(0);
    Tensor bits = quantizer.digits(features);
    Tensor clear = reference.abs().gt(new Scalar(limit.largest())).permute(0, 2, 3, 1);
    Tensor flipped = bits.ne(quantizer.digits(reference)).logical_and(clear);
    found.measure(drawn + " bits", flipped.count_nonzero().item().toDouble(), 0);
  }

  private static RoundingErrors limit(RoundingErrors plain, Tensor reference) {
    RoundingErrors floor = RoundingErrors.magnitudes(reference).times(ROUNDING_STEP);
    return plain.times(TIMES_THE_PLAIN_ERROR).orAtLeast(floor);
  }

  private static void compare(
      String quantity,
      Tensor computed,
      Tensor reference,
      RoundingErrors plain,
      RoundingErrors limit,
      CaseReport found) {
    RoundingErrors errors = RoundingErrors.of(computed, reference);
    String against = " (the plain way's: " + plain + ")";
    found.measure(quantity + ", largest error" + against, errors.largest(), limit.largest());
    found.measure(quantity + ", mean error" + against, errors.mean(), limit.mean());
  }
}
