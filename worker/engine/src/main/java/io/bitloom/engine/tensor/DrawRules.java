package io.bitloom.engine.tensor;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * How the choices of a batch are drawn, image by image. All of it lies on the device before the
 * first choice; the host knows it too, and calls no operator that no image has use for.
 *
 * <p>The tensors belong to the scope that the rules are made in.
 */
public final class DrawRules {
  /**
   * How the choices of one image are drawn.
   *
   * @param topK number of likeliest states that can occur; 0 for all, 1 is greedy: the likeliest is
   *     taken without drawing
   * @param topP probability that the likeliest states together must have; 0 for all states
   */
  public record Rule(int topK, double topP) {
    private boolean greedy() {
      return topK == 1;
    }

    /** How many of so many states can occur. */
    private long most(long states) {
      return topK == 0 ? states : Math.min(topK, states);
    }

    /** What the states that top-p leaves out have together at most; nothing is below 0. */
    private double leftOut() {
      return topP == 0 ? -1 : 1 - topP;
    }
  }

  private final List<Rule> rules;
  private final long states;
  private final Tensor greedyB1;
  private final Tensor lastB1;
  private final Tensor leftOutB1;

  /**
   * Puts rules onto a device.
   *
   * @param rules of each of B images, or one for all
   * @param states of a choice, V
   */
  public DrawRules(List<Rule> rules, long states, TorchDevice device) {
    this.rules = List.copyOf(rules);
    this.states = states;
    List<ToDoubleFunction<Rule>> columns =
        List.of(
            rule -> rule.greedy() ? 1 : 0, //
            rule -> rule.most(states) - 1.0,
            Rule::leftOut);
    double[] values =
        columns.stream().flatMapToDouble(column -> rules.stream().mapToDouble(column)).toArray();
    Tensor uploaded =
        Tensors.of(values, device, DType.F64, columns.size(), rules.size(), 1); // (3, B, 1)
    greedyB1 = uploaded.select(0, 0).ne(new Scalar(0));
    lastB1 = Tensors.to(uploaded.select(0, 1), DType.I64);
    leftOutB1 = Tensors.to(uploaded.select(0, 2), DType.F32);
  }

  private DrawRules(DrawRules batch, int image) {
    rules = List.of(batch.rules.get(image));
    states = batch.states;
    greedyB1 = batch.greedyB1.narrow(0, image, 1);
    lastB1 = batch.lastB1.narrow(0, image, 1);
    leftOutB1 = batch.leftOutB1.narrow(0, image, 1);
  }

  /** The rule of one image. */
  public DrawRules image(int image) {
    return new DrawRules(this, image);
  }

  /** V: the states of a choice. */
  public long states() {
    return states;
  }

  /** Whether no image needs random numbers. */
  public boolean greedy() {
    return rules.stream().allMatch(Rule::greedy);
  }

  /** Whether some image needs none. */
  boolean someGreedy() {
    return rules.stream().anyMatch(Rule::greedy);
  }

  /** Which images take the likeliest state, (B, 1). */
  Tensor greedyB1() {
    return greedyB1;
  }

  /** Whether top-k leaves out a state of some image. */
  boolean limitsStates() {
    return rules.stream().anyMatch(rule -> rule.most(states) < states);
  }

  /** The largest number of states that can occur in an image. */
  long mostStates() {
    return rules.stream().mapToLong(rule -> rule.most(states)).max().orElse(states);
  }

  /** Whether as many states can occur in all images. */
  boolean limitAlike() {
    return rules.stream().mapToLong(rule -> rule.most(states)).distinct().count() == 1;
  }

  /** The place of the last state that can occur among all states, the likeliest first (B, 1). */
  Tensor lastB1() {
    return lastB1;
  }

  /** Whether top-p may leave out a state of some image. */
  boolean leavesOut() {
    return rules.stream().anyMatch(rule -> rule.topP() > 0);
  }

  /** What left out states have together at most, float32 (B, 1); -1 where none is left out. */
  Tensor leftOutB1() {
    return leftOutB1;
  }
}
