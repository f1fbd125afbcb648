package io.bitloom.engine.tensor;

import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How many processors this process may use, and how many threads its surroundings ask for. */
public final class Processors {
  /** The variable that libraries with OpenMP, such as libtorch, take their threads from. */
  public static final String VARIABLE = "OMP_NUM_THREADS";

  private static final Pattern FIRST_NUMBER = Pattern.compile("\\s*([1-9]\\d{0,4})\\s*(,.*)?");

  private Processors() {}

  /** What the JVM counts, within {@link CpuQuota}. */
  public static int available() {
    int counted = Runtime.getRuntime().availableProcessors();
    return Math.min(counted, CpuQuota.processors(Path.of("/")).orElse(counted));
  }

  /**
   * The number of threads that a value of {@link #VARIABLE} asks for; one that is no number is
   * none.
   *
   * @param value may be null
   */
  public static OptionalInt asked(String value) {
    Matcher number = FIRST_NUMBER.matcher(value == null ? "" : value);
    return number.matches()
        ? OptionalInt.of(Integer.parseInt(number.group(1)))
        : OptionalInt.empty();
  }

  /** The threads of one operator until someone chooses: as asked, or one for each processor. */
  static int threads() {
    return asked(System.getenv(VARIABLE)).orElseGet(Processors::available);
  }
}
