package io.bitloom.images;

import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.FileEntry;
import com.google.cloud.tools.jib.api.buildplan.FilePermissions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Makes layers of folders: sorted, of root, without dates. */
final class Layers {

  /** The user of all programs, and its group. */
  static final String USER = "10001:10001";

  private static final FilePermissions PROGRAM = FilePermissions.fromOctalString("755");
  private static final FilePermissions FILE = FilePermissions.fromOctalString("644");
  private static final FilePermissions OWN_FOLDER = FilePermissions.fromOctalString("750");
  private static final FilePermissions FOLDER_OF_ALL = FilePermissions.fromOctalString("777");
  private static final Instant NO_TIME = Instant.EPOCH.plusSeconds(1);

  private Layers() {}

  /** The files below a folder that are wanted, at a place of the image. */
  static FileEntriesLayer of(String name, Path folder, String at, Predicate<Path> wanted)
      throws IOException {
    FileEntriesLayer.Builder layer = FileEntriesLayer.builder().setName(name);
    List<Path> files;
    try (Stream<Path> paths = Files.walk(folder)) {
      files = paths.filter(Files::isRegularFile).filter(wanted).sorted().toList();
    }
    for (Path file : files) {
      AbsoluteUnixPath place = AbsoluteUnixPath.get(at).resolve(folder.relativize(file).toString());
      layer.addEntry(file, place, Files.isExecutable(file) ? PROGRAM : FILE, NO_TIME);
    }
    return layer.build();
  }

  /** The folders that a program may write to. */
  static FileEntriesLayer writable(Path empty, List<String> own) {
    FileEntriesLayer.Builder layer = FileEntriesLayer.builder().setName("folders");
    layer.addEntry(entry(empty, "/tmp", FOLDER_OF_ALL, "0:0"));
    own.forEach(folder -> layer.addEntry(entry(empty, folder, OWN_FOLDER, USER)));
    return layer.build();
  }

  private static FileEntry entry(
      Path source, String place, FilePermissions permissions, String owner) {
    return new FileEntry(source, AbsoluteUnixPath.get(place), permissions, NO_TIME, owner);
  }
}
