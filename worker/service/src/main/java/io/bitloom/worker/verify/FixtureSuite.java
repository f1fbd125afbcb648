package io.bitloom.worker.verify;

import io.bitloom.engine.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Runs every file of a fixture folder through the check of its kind. */
final class FixtureSuite {
  /** A file's kind is its name's prefix. */
  private record Kind(String prefix, String ending, FixtureCheck check) {
    boolean matches(String name) {
      return name.startsWith(prefix) && name.endsWith(ending);
    }
  }

  private static final String SAFETENSORS = ".safetensors";

  private static final List<Kind> EXACT =
      List.of(
          new Kind("schedules", ".json", new SchedulesCheck()),
          new Kind("quantizer", SAFETENSORS, new QuantizerCheck()),
          new Kind("vae_", SAFETENSORS, new VaeCheck()),
          new Kind("bsc", SAFETENSORS, new SelfCorrectionCheck()),
          new Kind("rope2d", SAFETENSORS, new RopeCheck()),
          new Kind("sampling", SAFETENSORS, new SamplingCheck()),
          new Kind("t5_encoder", SAFETENSORS, new T5Check()),
          new Kind("transformer_train", SAFETENSORS, new TrainCheck()),
          new Kind("transformer_infer", SAFETENSORS, new InferCheck()));

  private final Path folder;
  private final List<Kind> kinds;
  private final boolean exact;
  private final Predicate<String> only;

  private FixtureSuite(Path folder, List<Kind> kinds, boolean exact, Predicate<String> only) {
    this.folder = folder;
    this.kinds = kinds;
    this.exact = exact;
    this.only = only;
  }

  /** The part of this suite that checks files of these names. */
  FixtureSuite only(Predicate<String> names) {
    return new FixtureSuite(folder, kinds, exact, names);
  }

  /** Whether there is no file to check. */
  boolean isEmpty() {
    return files().isEmpty();
  }

  /** Compares everything in float32, as the fixtures are. */
  static FixtureSuite exact(Path folder) {
    return new FixtureSuite(folder, EXACT, true, name -> true);
  }

  /** Counts the bits that models of another type have in common with the fixtures. */
  static FixtureSuite agreement(Path folder, DType dtype) {
    AgreementCheck check = new AgreementCheck(dtype);
    return new FixtureSuite(
        folder,
        List.of(
            new Kind("vae_", SAFETENSORS, check::tokenizer),
            new Kind("transformer_infer", SAFETENSORS, check::generation)),
        false,
        name -> true);
  }

  /**
   * Checks all files in the order of their names and hands every case to the sink as soon as it is
   * done.
   *
   * @return whether everything holds
   * @throws UncheckedIOException if the folder cannot be listed
   */
  boolean run(Consumer<CaseReport> sink) {
    boolean[] holds = {true};
    Consumer<CaseReport> watched =
        report -> {
          holds[0] &= report.holds();
          sink.accept(report);
        };
    List<Path> files = files();
    for (Path file : files) {
      check(file, new FileReport(file.getFileName().toString(), watched));
    }
    return holds[0] && !files.isEmpty();
  }

  private List<Path> files() {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(file -> !file.getFileName().toString().equals("README.md"))
          .filter(file -> only.test(file.getFileName().toString()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void check(Path file, FileReport report) {
    String name = file.getFileName().toString();
    if (exact && WeightFilesCheck.isWeightFile(name)) {
      WeightFilesCheck.check(file, report);
      return;
    }
    Optional<Kind> known = kinds.stream().filter(kind -> kind.matches(name)).findFirst();
    if (known.isPresent()) {
      checkFixture(known.get(), file, report);
    } else if (exact) {
      report.fault("(file)", "is of no known kind");
    }
  }

  private void checkFixture(Kind kind, Path file, FileReport report) {
    try (Fixture fixture = Fixture.open(file)) {
      kind.check().check(fixture, report);
      if (report.isEmpty()) {
        report.fault("(file)", "has no case");
      }
      for (String tensor : exact ? fixture.tensors().unused() : Set.<String>of()) {
        report.fault(tensor, "no check knows this tensor");
      }
    } catch (RuntimeException e) {
      report.fault("(file)", String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }
}
