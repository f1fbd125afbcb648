package io.bitloom.engine.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Compares the tensors that an architecture has with those that a checkpoint holds. */
public final class Layouts {
  private static final int NAMED_IN_A_MESSAGE = 8;

  private Layouts() {}

  /**
   * What does not fit, a line for every tensor.
   *
   * @param expected shape of every tensor of the architecture
   * @param found shape of every tensor of the checkpoint
   * @param optional names that the checkpoint may hold besides
   */
  public static List<String> faults(
      Map<String, long[]> expected, Map<String, long[]> found, Set<String> optional) {
    List<String> faults = new ArrayList<>();
    expected.forEach(
        (name, shape) -> {
          if (!found.containsKey(name)) {
            faults.add("tensor " + name + " is missing, expected shape " + Arrays.toString(shape));
          } else if (!Arrays.equals(shape, found.get(name))) {
            faults.add(
                "tensor "
                    + name
                    + ": expected shape "
                    + Arrays.toString(shape)
                    + ", found "
                    + Arrays.toString(found.get(name)));
          }
        });
    for (String name : found.keySet()) {
      if (!expected.containsKey(name) && !optional.contains(name)) {
        faults.add("tensor " + name + " is not part of this architecture");
      }
    }
    return faults;
  }

  /**
   * Refuses a checkpoint with faults, of which the message names the first few.
   *
   * @param source the checkpoint
   */
  public static void check(String source, List<String> faults) {
    if (!faults.isEmpty()) {
      int rest = faults.size() - NAMED_IN_A_MESSAGE;
      List<String> named = faults.subList(0, Math.min(faults.size(), NAMED_IN_A_MESSAGE));
      throw new WeightsException(
          source,
          "does not fit the architecture: "
              + String.join("; ", named)
              + (rest > 0 ? "; and " + rest + " more" : ""));
    }
  }
}
