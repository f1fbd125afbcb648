package io.bitloom.deploy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** An image as {@code docker load} reads it. */
final class ImageFile {

  /**
   * A file or folder in it.
   *
   * @param owner {@code USER:GROUP}
   * @param sha256 of a native library's content
   */
  record Entry(boolean isFolder, int mode, String owner, String sha256) {}

  /** Files that are kept as they are. */
  static final Set<String> TEXTS = Set.of("opt/bitloom/sbom.cdx.json");

  private final Map<String, byte[]> parts = new TreeMap<>();
  private final Map<String, Entry> entries = new TreeMap<>();
  private final JsonObject manifest;

  ImageFile(Path file) throws IOException {
    try (TarArchiveInputStream tar = new TarArchiveInputStream(Files.newInputStream(file))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        parts.put(entry.getName(), tar.readAllBytes());
      }
    }
    manifest = json("manifest.json").getAsJsonArray().get(0).getAsJsonObject();
    for (JsonElement layer : manifest.get("Layers").getAsJsonArray()) {
      read(layer.getAsString());
    }
  }

  private void read(String layer) throws IOException {
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new GZIPInputStream(new ByteArrayInputStream(parts.remove(layer))))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        String path = entry.getName().replaceAll("^/|/$", "");
        if (TEXTS.contains(path)) {
          parts.put(path, tar.readAllBytes());
        }
        entries.put(
            path,
            new Entry(
                entry.isDirectory(),
                entry.getMode(),
                entry.getLongUserId() + ":" + entry.getLongGroupId(),
                isNative(path) && !entry.isDirectory() ? sha256(tar) : ""));
      }
    }
  }

  /** Whether it is a library that came in a jar. */
  static boolean isNative(String path) {
    return path.startsWith("opt/bitloom/natives/");
  }

  private JsonElement json(String part) {
    return JsonParser.parseString(new String(parts.get(part), StandardCharsets.UTF_8));
  }

  /** How it is started, with labels and variables. */
  JsonObject config() {
    return json(manifest.get("Config").getAsString()).getAsJsonObject();
  }

  /** All that is in it, by path without a slash at its begin and end. */
  Map<String, Entry> entries() {
    return entries;
  }

  /** One of {@link #TEXTS}. */
  String text(String path) {
    return new String(parts.get(path), StandardCharsets.UTF_8);
  }

  private static String sha256(InputStream content) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
        digest.update(buffer, 0, count);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
