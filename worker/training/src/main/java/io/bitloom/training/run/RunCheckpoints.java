package io.bitloom.training.run;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.SafetensorsFile;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The checkpoints of a run: a folder for each, which appears under its name when everything in it
 * is on disk, or not at all.
 *
 * @param folder that holds them
 * @param keep how many of the latest stay; the best one stays in any case
 */
record RunCheckpoints(Path folder, int keep) {
  private static final Pattern NAME = Pattern.compile("step-(\\d{9})");
  private static final String UNFINISHED = ".unfinished-";
  private static final String DAMAGED = ".damaged";
  private static final String STATE = "state.json";
  private static final String TENSORS = ".safetensors";

  /** Writes a checkpoint and removes those that are not kept. */
  void save(RunState state, Map<String, Weights> tensors) throws IOException {
    Path target = of(state.step());
    if (!Files.exists(target)) {
      Files.createDirectories(folder);
      Path unfinished = Files.createTempDirectory(folder, UNFINISHED);
      try {
        for (Map.Entry<String, Weights> part : tensors.entrySet()) {
          Path file = unfinished.resolve(part.getKey() + TENSORS);
          SafetensorsWriter.write(file, part.getValue(), Map.of());
          sync(file);
        }
        Path stateFile = unfinished.resolve(STATE);
        Files.writeString(stateFile, state.json().toString());
        sync(stateFile);
        Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
        delete(unfinished); // another process of the group was quicker
      } catch (IOException | RuntimeException e) {
        delete(unfinished);
        throw e;
      }
    }
    removeOld(state);
  }

  private static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  private void removeOld(RunState state) throws IOException {
    List<Long> steps = steps();
    for (long step : steps.subList(0, Math.max(0, steps.size() - keep))) {
      if (step != state.bestStep()) {
        delete(of(step));
      }
    }
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.toList()) {
        if (entry.getFileName().toString().startsWith(UNFINISHED)) {
          delete(entry); // of a process that was killed
        }
      }
    }
  }

  /** Steps that there are checkpoints of, in order. */
  List<Long> steps() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .map(entry -> NAME.matcher(entry.getFileName().toString()))
          .filter(Matcher::matches)
          .map(matcher -> Long.valueOf(matcher.group(1)))
          .sorted()
          .toList();
    }
  }

  /**
   * Where a run stood at a checkpoint.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if its {@code state.json} is missing or
   *     damaged
   */
  RunState state(long step) {
    Path file = of(step).resolve(STATE);
    return RunState.of(JsonFields.of(file.toString(), StrictJson.object(file)));
  }

  /**
   * Gives a learner the tensors of a checkpoint.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if a file is missing or damaged
   */
  void restore(RunState state, Learner learner) {
    Map<String, Weights> stored = new LinkedHashMap<>();
    try {
      for (String part : learner.tensors().keySet()) {
        stored.put(part, SafetensorsFile.read(of(state.step()).resolve(part + TENSORS)).load());
      }
      learner.restore(stored, state.optimizerSteps());
    } finally {
      stored.values().forEach(Weights::close);
    }
  }

  /** Gives a damaged checkpoint another name, so that the run can write the step again. */
  void setAside(long step) throws IOException {
    Path aside = of(step).resolveSibling(of(step).getFileName() + DAMAGED);
    delete(aside);
    Files.move(of(step), aside, StandardCopyOption.ATOMIC_MOVE);
  }

  private Path of(long step) {
    return folder.resolve(String.format(Locale.ROOT, "step-%09d", step));
  }

  /** Removes a folder and everything in it. */
  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.walk(folder)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(entry);
      }
    }
  }
}
