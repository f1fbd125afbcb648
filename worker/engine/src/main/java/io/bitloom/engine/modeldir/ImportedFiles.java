package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The weight files of a model directory in the making, with their digests. */
final class ImportedFiles {
  /** Sections that are the only one of a released file, and all of it. */
  private static final Set<String> ALL_OF_THE_FILE = Set.of(Checkpoint.BARE, "vae");

  private final Path folder;
  private final Placement placement;
  private final Consumer<String> progress;
  private final Map<String, String> digests = new TreeMap<>();

  ImportedFiles(Path folder, Placement placement, Consumer<String> progress) {
    this.folder = folder;
    this.placement = placement;
    this.progress = progress;
  }

  /** The SHA-256 of every file by its name in the directory. */
  JsonObject digests() {
    JsonObject json = new JsonObject();
    digests.forEach(json::addProperty);
    return json;
  }

  /**
   * Brings a checkpoint into the directory.
   *
   * @return the member of {@code model.json}: settings, weights and section
   */
  JsonObject place(Inspection part) throws IOException {
    Checkpoint checkpoint = part.checkpoint();
    String name = part.role().label();
    JsonObject member = new JsonObject();
    member.add("config", part.architecture().settings());
    if (placement.link() == Placement.Link.NONE && needsConversion(checkpoint)) {
      member.addProperty("weights", convert(checkpoint, name));
    } else {
      member.addProperty("weights", place(checkpoint, name));
      if (!checkpoint.section().equals(Checkpoint.BARE)) {
        member.addProperty("section", checkpoint.section());
      }
    }
    return member;
  }

  /** Of a training checkpoint only one state dict is wanted, a small part of the file. */
  private boolean needsConversion(Checkpoint checkpoint) {
    return placement.dtype() != null
        || Checkpoints.sections(checkpoint.file()).size() > 1
        || !ALL_OF_THE_FILE.contains(checkpoint.section());
  }

  private String convert(Checkpoint checkpoint, String name) throws IOException {
    progress.accept(checkpoint.file() + ": writes safetensors");
    Path target = Files.createDirectories(folder.resolve(name));
    Path written;
    try (Weights weights = checkpoint.load()) {
      written =
          SafetensorsWriter.writeFolder(
              target, weights, Map.of(), placement.dtype(), ModelConversion.SHARD_BYTES);
    }
    try (Stream<Path> files = Files.list(target)) {
      for (Path file : files.sorted().toList()) {
        digests.put(name + "/" + file.getFileName(), Digests.sha256(file));
      }
    }
    return name + "/" + written.getFileName();
  }

  /** Copies or links the files of a checkpoint; returns the name of the one that stands for all. */
  String place(Checkpoint checkpoint, String name) throws IOException {
    for (Path file : checkpoint.files()) {
      place(file, name);
    }
    return name + "/" + checkpoint.file().getFileName();
  }

  /** Copies or links a file into a folder of the directory. */
  String place(Path file, String name) throws IOException {
    Path target = Files.createDirectories(folder.resolve(name)).resolve(file.getFileName());
    String listed = name + "/" + file.getFileName();
    switch (placement.link()) {
      case NONE -> {
        progress.accept(file + ": copies");
        try (OutputStream out = Files.newOutputStream(target)) {
          digests.put(listed, Digests.copy(file, out));
        }
      }
      case HARD -> {
        hardLink(file, target);
        digests.put(listed, digest(file));
      }
      case SYMBOLIC -> {
        Files.createSymbolicLink(target, file.toRealPath());
        digests.put(listed, digest(file));
      }
      default -> throw new AssertionError(placement.link());
    }
    return listed;
  }

  private String digest(Path file) {
    progress.accept(file + ": computes the SHA-256");
    return Digests.sha256(file);
  }

  private static void hardLink(Path file, Path target) throws IOException {
    try {
      Files.createLink(target, file.toRealPath());
    } catch (FileSystemException | UnsupportedOperationException e) {
      throw new WeightsException(
          file.toString(),
          "cannot be linked, which needs both on one file system; symbolic links do not: "
              + e.getMessage(),
          e);
    }
  }
}
