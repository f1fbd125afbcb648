package io.bitloom.common.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The GPUs that a program would see that is started from here: those of {@code
 * CUDA_VISIBLE_DEVICES}, which leaves out what stands behind its first wrong entry, as CUDA does;
 * without it, all that {@code nvidia-smi -L} lists, or else all that have a device file. Slices
 * (MIG) are listed in place of the GPU that they are parts of, since a program can use nothing else
 * of it.
 */
public final class VisibleGpus {
  /** Says which GPUs a program sees, by UUID or by number. */
  public static final String VARIABLE = "CUDA_VISIBLE_DEVICES";

  private static final Path DEVICES = Path.of("/dev");
  private static final Pattern DEVICE_FILE = Pattern.compile("nvidia\\d+");
  private static final Pattern GPU = Pattern.compile("GPU \\d+: (.+) \\(UUID: (GPU-\\S+)\\)");
  private static final Pattern SLICE =
      Pattern.compile("\\s+(MIG .+?)\\s+Device\\s+\\d+: \\(UUID: (MIG-\\S+)\\)");
  private static final Pattern NUMBER = Pattern.compile("\\d{1,4}");

  private record Whole(Gpu gpu, List<Gpu> slices) {
    Stream<Gpu> usable() {
      return slices.isEmpty() ? Stream.of(gpu) : slices.stream();
    }
  }

  private VisibleGpus() {}

  /** Those of a program with this one's environment. */
  public static List<Gpu> find() {
    return find(System.getenv(), DEVICES);
  }

  /**
   * Those of a program.
   *
   * @param environment of it; has the {@code PATH} to {@code nvidia-smi}
   * @param devices the folder of device files
   */
  public static List<Gpu> find(Map<String, String> environment, Path devices) {
    List<Whole> all =
        new NvidiaSmi(environment)
            .ask("-L")
            .map(VisibleGpus::listed)
            .orElseGet(() -> withFiles(devices));
    String chosen = environment.get(VARIABLE);
    return chosen == null ? all.stream().flatMap(Whole::usable).toList() : chosen(chosen, all);
  }

  private static List<Whole> listed(List<String> lines) {
    List<Whole> all = new ArrayList<>();
    for (String line : lines) {
      Matcher gpu = GPU.matcher(line);
      Matcher slice = SLICE.matcher(line);
      if (gpu.matches()) {
        all.add(new Whole(new Gpu(gpu.group(2), gpu.group(1)), new ArrayList<>()));
      } else if (slice.matches() && !all.isEmpty()) {
        Whole whole = all.get(all.size() - 1);
        whole.slices.add(new Gpu(slice.group(2), whole.gpu.name() + " " + slice.group(1)));
      }
    }
    return all;
  }

  /** CUDA numbers what it may use from 0, whatever the numbers of the files are. */
  private static List<Whole> withFiles(Path devices) {
    try (Stream<Path> files = Files.list(devices)) {
      long count =
          files
              .filter(file -> DEVICE_FILE.matcher(file.getFileName().toString()).matches())
              .count();
      return IntStream.range(0, (int) count)
          .mapToObj(number -> new Gpu(Integer.toString(number), "GPU of NVIDIA"))
          .map(gpu -> new Whole(gpu, List.of()))
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static List<Gpu> chosen(String entries, List<Whole> all) {
    List<Gpu> chosen = new ArrayList<>();
    for (String entry : entries.split(",", -1)) {
      Optional<Gpu> gpu = named(entry.strip(), all);
      if (gpu.isEmpty()) {
        break;
      }
      chosen.add(new Gpu(entry.strip(), gpu.get().name()));
    }
    return chosen;
  }

  /** A UUID may be cut off where it is still the only one. */
  private static Optional<Gpu> named(String entry, List<Whole> all) {
    if (NUMBER.matcher(entry).matches()) {
      return all.stream().skip(Integer.parseInt(entry)).map(Whole::gpu).findFirst();
    }
    if (!entry.startsWith("GPU-") && !entry.startsWith("MIG-")) {
      return Optional.empty();
    }
    List<Gpu> known =
        all.stream()
            .flatMap(whole -> Stream.concat(Stream.of(whole.gpu), whole.slices.stream()))
            .toList();
    boolean named = known.stream().anyMatch(gpu -> !NUMBER.matcher(gpu.id()).matches());
    if (!named && !known.isEmpty()) { // device files have no UUIDs
      return Optional.of(known.get(0));
    }
    List<Gpu> same = known.stream().filter(gpu -> gpu.id().startsWith(entry)).toList();
    return same.size() == 1 ? Optional.of(same.get(0)) : Optional.empty();
  }
}
