package io.bitloom.training.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.ChildJvm;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.distributed.Processes;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class GradientBucketsTest {
  private static final int COUNT = 3;
  private static final int FLOAT = 4;

  /** Numbers of the parameters; with 40 bytes a bucket, 4 and 6 share one, and 16 has its own. */
  private static final int[] SIZES = {4, 6, 16, 1, 2};

  private static final int BUCKET_BYTES = 10 * FLOAT;
  private static final String BUCKETS = "buckets [10, 16, 3]";

  private static Weights parameters() {
    Weights weights = new Weights("test");
    for (int i = 0; i < SIZES.length; i++) {
      float[] values = new float[SIZES[i]];
      Arrays.fill(values, 1);
      weights.put("p" + i, Tensors.of(values, SIZES[i]).requires_grad_(true));
    }
    return weights;
  }

  /** Adds factor · (number of the parameter + 1) to the gradients of all but the fourth. */
  private static void backward(Weights weights, double factor) {
    for (int i = 0; i < SIZES.length; i++) {
      if (i != 3) {
        try (Scope scope = Scope.open()) {
          Tensor product = Tensors.times(weights.get("p" + i), factor * (i + 1));
          product.sum().backward();
        }
      }
    }
  }

  private static List<Double> gradients(Weights weights) {
    List<Double> all = new ArrayList<>();
    for (int i = 0; i < SIZES.length; i++) {
      try (Scope scope = Scope.open()) {
        double[] values = Tensors.doubles(weights.get("p" + i).grad());
        assertEquals(SIZES[i], values.length);
        assertTrue(Arrays.stream(values).allMatch(value -> value == values[0]));
        all.add(values[0]);
      }
    }
    return all;
  }

  /** One of the processes: two steps of two backward passes each. */
  static final class OneOfThem {
    private OneOfThem() {}

    public static void main(String[] arguments) {
      int rank = Integer.parseInt(arguments[0]);
      int port = Integer.parseInt(arguments[1]);
      Duration patience = Duration.ofMinutes(2);
      try (Weights weights = parameters();
          Processes processes =
              Processes.meet(
                  new Processes.Rendezvous("127.0.0.1", port, rank, COUNT, patience),
                  TorchDevice.CPU)) {
        backward(weights, 1 + rank); // before they lie side by side
        Gradients gradients = new Gradients(weights);
        try (GradientBuckets buckets = new GradientBuckets(gradients, processes, BUCKET_BYTES)) {
          System.out.println(
              "buckets " + buckets.tensors().stream().map(bucket -> bucket.numel()).toList());
          for (int step = 0; step < 2; step++) {
            backward(weights, 10.0 * rank);
            buckets.sum();
            System.out.println("step " + step + " " + gradients(weights));
            gradients.zero();
          }
        }
      }
    }
  }

  @Test
  void gradientsOfAllProcessesAreAddedWhereTheyLie() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    List<ChildJvm> all = new ArrayList<>();
    try {
      for (int rank = 0; rank < COUNT; rank++) {
        all.add(ChildJvm.start(OneOfThem.class, List.of(), "" + rank, "" + port));
      }
      // Of ranks 0 to 2: first 1 + 2 + 3, and in every step 0 + 10 + 20.
      for (ChildJvm process : all) {
        process.awaitLine(BUCKETS);
        process.awaitLine("step 0 [36.0, 72.0, 108.0, 0.0, 180.0]");
        process.awaitLine("step 1 [30.0, 60.0, 90.0, 0.0, 150.0]");
        assertEquals(0, process.awaitExit());
      }
    } finally {
      all.forEach(ChildJvm::close);
    }
  }

  @Test
  void aProcessOnItsOwnLeavesGradientsAsTheyAre() {
    try (Weights weights = parameters();
        Processes alone = Processes.alone()) {
      backward(weights, 1);
      try (GradientBuckets buckets = new GradientBuckets(new Gradients(weights), alone)) {
        buckets.sum();
        assertTrue(buckets.tensors().isEmpty());
        assertTrue(!weights.get("p3").grad().defined());
      }
    }
  }
}
