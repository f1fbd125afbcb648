package io.bitloom.client.output;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.ImageName;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * The folder that receives the images of one job. Opened again, it knows what it has and where to
 * go on; an image that is gone, or is not as long as it was, is taken anew.
 */
public final class ImageFolder implements AutoCloseable {

  private static final String LOCK = ".lock";

  private final Path folder;
  private final String job;
  private final FileNames names = new FileNames();
  private final BitSet prompts = new BitSet();
  private FileChannel lock;
  private FileChannel manifest;
  private String cursor = "";
  private long images;
  private long failed;
  private long stopped;

  private ImageFolder(Path folder, String job) {
    this.folder = folder;
    this.job = job;
  }

  /** The job whose images are in a folder, if there are any. */
  public static Optional<String> jobOf(Path folder) throws IOException {
    Path manifest = folder.resolve(Manifest.FILE);
    String[] job = new String[1];
    if (Files.exists(manifest)) {
      Manifest.read(manifest, (line, end) -> job[0] = line.job());
    }
    return Optional.ofNullable(job[0]);
  }

  /** Deletes a folder's manifest, contact sheet and images; other files stay. */
  public static void clear(Path folder) throws IOException {
    Path manifest = folder.resolve(Manifest.FILE);
    if (!Files.exists(manifest)) {
      return;
    }
    List<Path> files =
        new ArrayList<>(List.of(folder.resolve(ContactSheet.FILE), folder.resolve(LOCK)));
    Manifest.read(
        manifest,
        (line, end) -> {
          if (line.succeeded()) {
            // Only the name: a manifest that was tampered with must not reach outside.
            files.add(folder.resolve(Path.of(line.file()).getFileName()));
          }
        });
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
    Files.delete(manifest);
  }

  /**
   * Makes or opens a folder.
   *
   * @throws BitloomException if it holds the images of another job
   * @throws IOException also if another process is writing into it
   */
  public static ImageFolder open(Path folder, String job) throws IOException {
    Files.createDirectories(folder);
    ImageFolder opened = new ImageFolder(folder, job);
    try {
      opened.lock();
      opened.open(folder.resolve(Manifest.FILE));
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private void lock() throws IOException {
    lock =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (lock.tryLock() != null) {
        return;
      }
    } catch (OverlappingFileLockException e) {
      // Held by this process: the same to the caller.
    }
    throw new IOException(folder + " is being written by another process");
  }

  private void open(Path file) throws IOException {
    long end = 0;
    if (Files.exists(file)) {
      BitSet lost = lostPrompts(file);
      if (!lost.isEmpty()) {
        Manifest.keep(file, line -> !lost.get((int) line.offset()));
      }
      end = load(file);
      if (!lost.isEmpty()) {
        cursor = "";
      }
    }
    manifest = Manifest.open(file, end);
  }

  /** Offsets of the prompts of which an image is missing. */
  private BitSet lostPrompts(Path file) throws IOException {
    BitSet lost = new BitSet();
    Manifest.read(
        file,
        (line, end) -> {
          if (!line.job().equals(job)) {
            throw new BitloomException(
                ErrorCode.INVALID_FIELD,
                folder + " holds the images of " + line.job() + "; choose another folder");
          }
          if (line.succeeded() && !isOnDisk(line)) {
            lost.set(Math.toIntExact(line.offset()));
          }
        });
    return lost;
  }

  private boolean isOnDisk(ManifestLine line) {
    try {
      return Files.size(folder.resolve(line.file())) == line.sizeBytes();
    } catch (IOException e) {
      return false;
    }
  }

  /** Takes over what a manifest says; returns the end of its last complete prompt. */
  private long load(Path file) throws IOException {
    long[] complete = new long[1];
    List<String> files = new ArrayList<>();
    Manifest.read(
        file,
        (line, end) -> {
          if (line.succeeded()) {
            files.add(line.file());
          }
          if (line.endsPrompt()) {
            files.forEach(names::add);
            files.clear();
            complete[0] = end;
            count(line);
          }
        });
    return complete[0];
  }

  private void count(ManifestLine line) {
    prompts.set(Math.toIntExact(line.offset()));
    cursor = line.cursor();
    if (line.succeeded()) {
      images += line.images();
    } else if (OutcomeStatus.FAILED.equals(line.status())) {
      failed++;
    } else {
      stopped++;
    }
  }

  /** Where reading goes on: the cursor of the last result that is here, or empty. */
  public String cursor() {
    return cursor;
  }

  /** Prompts that are here, failed ones included. */
  public long prompts() {
    return prompts.cardinality();
  }

  public long failed() {
    return failed;
  }

  /** Prompts that were cancelled or expired. */
  public long stopped() {
    return stopped;
  }

  public long images() {
    return images;
  }

  /**
   * Saves a result: first the images, each in one step, then their lines in the manifest.
   *
   * @return names of the files; empty for a failed prompt and one that is here already
   * @throws BitloomException if an image is not what its checksum says
   */
  public List<String> save(ReadResultsResponse response) throws IOException {
    PromptResult result = response.getResult();
    if (prompts.get(Math.toIntExact(result.getOffset()))) {
      cursor = response.getCursor();
      return List.of();
    }
    List<ManifestLine> lines = new ArrayList<>();
    List<String> files = new ArrayList<>();
    if (result.hasImages()) {
      List<GeneratedImage> made = result.getImages().getImagesList();
      files.addAll(namesFor(result, made));
      for (int i = 0; i < made.size(); i++) {
        write(files.get(i), result, made.get(i));
        lines.add(ManifestLine.of(job, result, made.get(i), files.get(i), response.getCursor()));
      }
    } else {
      lines.add(ManifestLine.ofFailure(job, result, response.getCursor()));
    }
    Manifest.append(manifest, lines);
    count(lines.get(lines.size() - 1));
    return files;
  }

  private List<String> namesFor(PromptResult result, List<GeneratedImage> made) {
    if (made.isEmpty()) {
      throw new BitloomException(
          ErrorCode.RESULT_MISSING, "the result of " + result.getCustomId() + " has no image");
    }
    String extension = ImageName.extension(made.get(0).getFormat());
    return Arrays.asList(
        names.forPrompt(result.getCustomId(), result.getOffset(), made.size(), extension));
  }

  private void write(String name, PromptResult result, GeneratedImage image) throws IOException {
    if (!image.getSha256().equals(sha256(image.getData()))) {
      throw new BitloomException(
          ErrorCode.RESULT_CORRUPT,
          "image " + image.getIndex() + " of " + result.getCustomId() + " has a wrong checksum");
    }
    Path part = folder.resolve("." + name + ".part");
    try (OutputStream out = Files.newOutputStream(part)) {
      image.getData().writeTo(out);
    }
    Files.move(part, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  private static ByteString sha256(ByteString bytes) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      bytes.asReadOnlyByteBufferList().forEach(sha256::update);
      return ByteString.copyFrom(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    try (FileChannel releasedLast = lock;
        FileChannel closedFirst = manifest) {
      // Both may be null if opening failed.
    }
  }
}
