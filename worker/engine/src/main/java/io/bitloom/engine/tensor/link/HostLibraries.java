package io.bitloom.engine.tensor.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The libraries of this machine that libraries of a program need, directly or through others.
 *
 * @param found those that are here, with their files
 * @param missing those that are not
 */
public record HostLibraries(SortedMap<String, Path> found, SortedSet<String> missing) {

  private record Needed(String name, List<Path> runPath) {}

  /**
   * Follows what libraries need, as the dynamic linker will when it loads them.
   *
   * @param loaded files that will be loaded
   * @param bundle files that come with the program, {@code loaded} among them: they are found by
   *     file name or by the name inside
   * @param paths where all others are looked for
   * @throws IOException if a file of the bundle cannot be read
   */
  public static HostLibraries of(
      Collection<Path> loaded, Collection<Path> bundle, LinkerPaths paths) throws IOException {
    Map<String, Path> own = new HashMap<>();
    for (Path file : bundle) {
      own.put(file.getFileName().toString(), file);
      ElfFile.read(file).soname().ifPresent(name -> own.putIfAbsent(name, file));
    }
    SortedMap<String, Path> found = new TreeMap<>();
    SortedSet<String> missing = new TreeSet<>();
    Deque<Needed> open = new ArrayDeque<>();
    Set<String> seen = new HashSet<>();
    for (Path file : loaded) {
      open.addAll(neededBy(file));
    }
    while (!open.isEmpty()) {
      Needed next = open.remove();
      if (!seen.add(next.name)) {
        continue;
      }
      Optional<Path> file =
          own.containsKey(next.name)
              ? Optional.of(own.get(next.name))
              : paths.find(next.name, next.runPath);
      if (file.isEmpty()) {
        missing.add(next.name);
        continue;
      }
      if (!own.containsKey(next.name)) {
        found.put(next.name, file.get());
      }
      open.addAll(neededBy(file.get()));
    }
    return new HostLibraries(found, missing);
  }

  private static List<Needed> neededBy(Path file) throws IOException {
    ElfFile library = ElfFile.read(file);
    String origin = file.toAbsolutePath().getParent().toString();
    List<Path> runPath =
        library.runPath().stream()
            .map(folder -> folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))
            .map(Path::of)
            .filter(Files::isDirectory)
            .toList();
    return library.needed().stream().map(name -> new Needed(name, runPath)).toList();
  }
}
