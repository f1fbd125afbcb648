package io.bitloom.engine.tensor.link;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the dynamic linker looks for a library (ld.so(8)): the folders of {@code LD_LIBRARY_PATH},
 * those that the library names that needs it, the list of {@code ldconfig}, the system's folders;
 * and last, those in which JavaCPP looks before the linker does.
 */
public final class LinkerPaths {
  private static final Path CACHE = Path.of("/etc/ld.so.cache");

  private static final List<Path> OF_THE_SYSTEM =
      Stream.of(
              "/lib/x86_64-linux-gnu",
              "/usr/lib/x86_64-linux-gnu",
              "/lib64",
              "/usr/lib64",
              "/lib",
              "/usr/lib")
          .map(Path::of)
          .toList();

  private final List<Path> libraryPath;
  private final Map<String, Path> cache;
  private final List<Path> system;

  /**
   * Any paths.
   *
   * @param libraryPath folders that come first
   * @param cache files of libraries by name
   * @param system folders that come last
   */
  public LinkerPaths(List<Path> libraryPath, Map<String, Path> cache, List<Path> system) {
    this.libraryPath = List.copyOf(libraryPath);
    this.cache = Map.copyOf(cache);
    this.system = List.copyOf(system);
  }

  /**
   * The paths of this process.
   *
   * @param preloadPath where JavaCPP looks
   */
  public static LinkerPaths ofThisProcess(List<Path> preloadPath) {
    List<Path> system = new ArrayList<>(OF_THE_SYSTEM);
    system.addAll(preloadPath);
    return new LinkerPaths(
        folders(System.getenv().getOrDefault("LD_LIBRARY_PATH", "")),
        LinkerCache.read(CACHE),
        system);
  }

  private static List<Path> folders(String path) {
    return Stream.of(path.split("[:;]")).filter(text -> !text.isEmpty()).map(Path::of).toList();
  }

  /**
   * The file of a library.
   *
   * @param name as it is needed, such as {@code libcudart.so.13}
   * @param runPath folders that the library names that needs it
   */
  Optional<Path> find(String name, List<Path> runPath) {
    Stream<Path> first = Stream.concat(libraryPath.stream(), runPath.stream());
    Stream<Path> listed = Stream.ofNullable(cache.get(name));
    return Stream.of(
            first.map(folder -> folder.resolve(name)),
            listed,
            system.stream().map(folder -> folder.resolve(name)))
        .flatMap(files -> files)
        .filter(Files::isRegularFile)
        .findFirst();
  }
}
