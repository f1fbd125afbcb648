package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** What computes, with which libraries, at which clocks, and how fast it multiplies matrices. */
final class MachineStep {
  private static final String SECTION = "Machine";
  private static final String PRODUCTS = "Products of two square matrices";
  private static final int CPU_SIDE = 1024;
  private static final int GPU_SIDE = 8192;
  private static final int OF_ONE_RUN = 10;

  /** Fields of nvidia-smi, asked one by one: a driver refuses all if it does not know one. */
  private static final List<String> FIELDS =
      List.of(
          "name",
          "driver_version",
          "memory.total",
          "memory.used",
          "power.limit",
          "power.max_limit",
          "clocks.max.sm",
          "clocks.sm",
          "clocks.mem",
          "clocks_event_reasons.active",
          "temperature.gpu",
          "mig.mode.current",
          "ecc.mode.current");

  private static final Pattern LIBRARY =
      Pattern.compile(
          "/\\S*/lib(?:cuda|cudart|cublas|cublasLt|cudnn|nccl|cufft|curand|cusolver|cusparse|nvrtc"
              + "|cupti)[._]\\S*");

  private MachineStep() {}

  static void run(Sitting sitting) throws IOException {
    TorchDevice device = sitting.plan().device();
    // First, so that what follows is asked of a card that has just worked.
    for (DType dtype : List.of(DType.BF16, DType.F32)) {
      JsonObject identity = new Row().with("type", dtype).json();
      sitting.measure(PRODUCTS, identity, () -> products(sitting, dtype));
    }
    said(sitting, "time", () -> Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    said(sitting, "device", device::toString);
    said(sitting, "processor", () -> Machine.of(LibTorch.threads()).toString());
    said(sitting, "Java", () -> System.getProperty("java.vm.name") + " " + Runtime.version());
    said(
        sitting,
        "libtorch",
        () ->
            (LibTorch.builtForGpu() ? "for GPUs: " : "for CPUs: ")
                + torch.show_config().getString().replaceAll("[A-Z]+_FLAGS=[^,]*, ", ""));
    if (device.cuda()) {
      said(sitting, "auto", () -> TorchDevice.parse("auto").toString());
      said(sitting, "free memory, bytes", () -> Long.toString(device.freeGpuBytes()));
      for (String field : FIELDS) {
        said(sitting, "nvidia-smi " + field, () -> nvidiaSmi(device, field));
      }
      said(sitting, "libraries of CUDA in this process", MachineStep::libraries);
    }
  }

  private static void said(Sitting sitting, String what, Callable<String> says) throws IOException {
    sitting.measure(
        SECTION,
        new Row().with("what", what).json(),
        () -> new Row().with("is", says.call()).json());
  }

  private static String nvidiaSmi(TorchDevice device, String field)
      throws IOException, InterruptedException {
    return OtherProgram.run(
        List.of(
            "nvidia-smi",
            "--id=" + device.index(),
            "--query-gpu=" + field,
            "--format=csv,noheader"),
        "");
  }

  /** The files that were loaded in the end, wherever they were found. */
  private static String libraries() throws IOException {
    TreeSet<String> found = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      Matcher matcher = LIBRARY.matcher(line);
      if (matcher.find()) {
        found.add(matcher.group());
      }
    }
    return String.join(", ", found);
  }

  private static JsonObject products(Sitting sitting, DType dtype) {
    TorchDevice device = sitting.plan().device();
    int side = device.cuda() ? GPU_SIDE : CPU_SIDE;
    Repeats.Spread rates = rate(device, dtype, sitting.plan().repeats());
    return new Row().with("side", side).with("TFLOP/s", rates).json();
  }

  /** Rate of products on the path of the models' linear layers, in 10¹² operations a second. */
  static Repeats.Spread rate(TorchDevice device, DType dtype, Repeats.Limit limit) {
    int side = device.cuda() ? GPU_SIDE : CPU_SIDE;
    Tensor random = Tensors.to(torch.randn(side, side), device, dtype);
    try (Linear product = Linear.frozen(random, null)) {
      return Repeats.of(
              limit,
              () -> {
                try (Scope scope = Scope.open()) {
                  device.synchronize();
                  long start = System.nanoTime();
                  for (int i = 0; i < OF_ONE_RUN; i++) {
                    try (Scope each = Scope.open()) {
                      product.apply(random);
                    }
                  }
                  device.synchronize();
                  double seconds = (System.nanoTime() - start) / 1e9;
                  return new double[] {2.0 * side * side * side * OF_ONE_RUN / seconds / 1e12};
                }
              })
          .of(0);
    }
  }
}
