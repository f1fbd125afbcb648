package io.bitloom.engine.modeldir;

import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.WeightFiles;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Sorts released files by what they hold: a folder is searched for weight files, and so are the
 * folders in it, which is how sharded models and text encoders come.
 */
final class ImportSources {
  private final Map<Role, List<Checkpoint>> found = new EnumMap<>(Role.class);

  private ImportSources() {
    for (Role role : Role.values()) {
      found.put(role, new ArrayList<>());
    }
  }

  /**
   * Reads the headers of all weight files.
   *
   * @throws WeightsException if a file is broken, or is named outright and holds no part of a model
   */
  static ImportSources search(List<Path> sources) {
    ImportSources search = new ImportSources();
    for (Path source : sources) {
      if (Files.isDirectory(source)) {
        search.addFolder(source);
        subfolders(source).forEach(search::addFolder);
      } else if (!search.add(source)) {
        throw new WeightsException(
            source.toString(), "holds no tensors of a transformer, tokenizer or text encoder");
      }
    }
    return search;
  }

  private void addFolder(Path folder) {
    WeightFiles.in(folder).forEach(this::add);
  }

  private boolean add(Path file) {
    Optional<Role> first = Optional.empty();
    for (Checkpoint checkpoint : Checkpoints.all(file)) {
      Optional<Role> role = role(checkpoint);
      // Of a transformer in training the preferred weights; its tokenizer if it comes along.
      if (role.isPresent() && !role.equals(first)) {
        found.get(role.get()).add(checkpoint);
        first = first.isPresent() ? first : role;
      }
    }
    return first.isPresent();
  }

  private static List<Path> subfolders(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(Files::isDirectory).sorted().toList();
    } catch (IOException e) {
      throw new WeightsException(folder.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /** What part of a model the tensors of a checkpoint are. */
  static Optional<Role> role(Checkpoint checkpoint) {
    return Role.of(checkpoint.names());
  }

  /** Everything of a role. */
  List<Checkpoint> all(Role role) {
    return found.get(role);
  }

  /**
   * The one checkpoint of a role.
   *
   * @param option the option that names one, for messages
   * @throws WeightsException if there are several, or none
   */
  Checkpoint only(Role role, String option) {
    List<Checkpoint> candidates = found.get(role);
    if (candidates.size() != 1) {
      throw new WeightsException(
          "import",
          candidates.isEmpty()
              ? "no " + role.label() + " was found, name one with " + option
              : "several files hold a "
                  + role.label()
                  + ", name one with "
                  + option
                  + ": "
                  + candidates.stream()
                      .map(candidate -> candidate.file().toString())
                      .collect(Collectors.joining(", ")));
    }
    return candidates.get(0);
  }
}
