package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Counts how evenly a quantizer's codes are used: the entropy of every digit (of every bit, for
 * binary quantizers), and of whole codes where there are at most 2^20 of them.
 */
public final class CodeUsage {
  private static final long MOST_CODES = 1 << 20;

  /** A digit whose entropy is less than this share of its most is as good as constant. */
  private static final double DEAD = 0.01;

  private final int[] radices;
  private final long[][] digitCounts;
  private final long[] codeCounts;
  private long cells;

  /** Counts codes with digits of these radices. */
  public CodeUsage(int[] radices) {
    this.radices = radices.clone();
    digitCounts = Arrays.stream(radices).mapToObj(long[]::new).toArray(long[][]::new);
    double codes = Arrays.stream(radices).asDoubleStream().reduce(1, (a, b) -> a * b);
    codeCounts = codes <= MOST_CODES ? new long[(int) codes] : new long[0];
  }

  /** Counts digits (…, n). */
  public void add(Tensor digits) {
    long[] values = Tensors.longs(digits);
    int n = radices.length;
    for (int at = 0; at < values.length; at += n) {
      int code = 0;
      for (int i = 0; i < n; i++) {
        int digit = (int) values[at + i];
        digitCounts[i][digit]++;
        code = codeCounts.length == 0 ? 0 : code * radices[i] + digit;
      }
      if (codeCounts.length > 0) {
        codeCounts[code]++;
      }
      cells++;
    }
  }

  /** Cells counted. */
  public long cells() {
    return cells;
  }

  /** The entropy of every digit, in bits. */
  public double[] digitEntropies() {
    return Arrays.stream(digitCounts).mapToDouble(this::entropy).toArray();
  }

  /** Digits that are nearly always the same. */
  public int deadDigits() {
    int dead = 0;
    for (int i = 0; i < radices.length; i++) {
      double most = Math.log(radices[i]) / Math.log(2);
      dead += entropy(digitCounts[i]) < DEAD * most ? 1 : 0;
    }
    return dead;
  }

  /**
   * Two to the entropy of the codes: how many evenly used codes would be as many; NaN if unknown.
   */
  public double perplexity() {
    return codeCounts.length == 0 ? Double.NaN : Math.pow(2, entropy(codeCounts));
  }

  /** The share of the codes that occurred; NaN if they are too many to count. */
  public double usedShare() {
    return codeCounts.length == 0
        ? Double.NaN
        : (double) Arrays.stream(codeCounts).filter(count -> count > 0).count() / codeCounts.length;
  }

  private double entropy(long[] counts) {
    double entropy = 0;
    for (long count : counts) {
      if (count > 0) {
        double p = (double) count / cells;
        entropy -= p * Math.log(p) / Math.log(2);
      }
    }
    return entropy;
  }
}
