package io.bitloom.client.output;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.file.WritableFolder;
import io.bitloom.common.manifest.ManifestLine;
import io.bitloom.common.manifest.OutcomeStatus;
import io.bitloom.common.results.ImageName;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The folder that receives the images of one job, and those that replays of it draw in the places
 * of prompts that failed. Opened again, it knows what it has and where to go on; an image that is
 * gone, or is not as long as it was, is taken anew.
 */
public final class ImageFolder implements AutoCloseable {

  private static final String LOCK = ".lock";

  private final Path folder;
  private final String job;
  private final FileNames names = new FileNames();

  /** Offsets in the opened job of which the folder has an outcome. */
  private final BitSet prompts = new BitSet();

  /** Those of them that were given up, and those that were cancelled or expired. */
  private final BitSet failed = new BitSet();

  private final BitSet stopped = new BitSet();

  /** Offsets in the job that the folder was made for, by what the folder has of them. */
  private final BitSet pictured = new BitSet();

  private final BitSet withoutPictures = new BitSet();
  private final BitSet lostPlaces = new BitSet();

  /** Where the newest outcome of a place begins in the manifest, if there are older ones. */
  private final Map<Integer, Long> superseded = new HashMap<>();

  private Optional<Repairs> repairs = Optional.empty(); // present if the opened job is a replay
  private String folderJob;
  private FileChannel lock;
  private FileChannel manifest;
  private String cursor = "";
  private long images;

  private ImageFolder(Path folder, String job) {
    this.folder = folder;
    this.job = job;
    this.folderJob = job;
  }

  /** The job that a folder was made for, if there is anything of it. */
  public static Optional<String> jobOf(Path folder) throws IOException {
    Path manifest = folder.resolve(Manifest.FILE);
    String[] job = new String[1];
    if (Files.exists(manifest)) {
      Manifest.read(manifest, (line, end) -> job[0] = line.folderJob());
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
   * Finds out before anything is submitted whether images can be saved. Makes nothing.
   *
   * @throws IOException naming the folder and what is in the way
   */
  public static void check(Path folder) throws IOException {
    WritableFolder.check(folder);
    if (Files.exists(folder.resolve(LOCK))) {
      new ImageFolder(folder, "").lockAndUnlock();
    }
  }

  private void lockAndUnlock() throws IOException {
    try {
      lock();
    } finally {
      close();
    }
  }

  /** Makes or opens the folder of a job that is no replay. */
  public static ImageFolder open(Path folder, String job) throws IOException {
    return open(folder, job, Set.of());
  }

  /**
   * Makes or opens a folder.
   *
   * @param replayed the jobs whose failed prompts this job repeats, and those whose failed prompts
   *     they repeat; what this job draws goes into the folder of one of them as if that had drawn
   *     it
   * @throws BitloomException if it holds the images of another job
   * @throws IOException also if another process is writing into it
   */
  public static ImageFolder open(Path folder, String job, Set<String> replayed) throws IOException {
    WritableFolder.check(folder);
    Files.createDirectories(folder);
    ImageFolder opened = new ImageFolder(folder, job);
    try {
      opened.lock();
      opened.open(folder.resolve(Manifest.FILE), replayed);
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

  private void open(Path file, Set<String> replayed) throws IOException {
    long end = 0;
    if (Files.exists(file)) {
      folderJob = jobOf(folder).orElse(job);
      if (replayed.contains(folderJob)) {
        repairs = Optional.of(new Repairs());
      } else if (!folderJob.equals(job)) {
        throw new BitloomException(
            ErrorCode.INVALID_FIELD,
            folder + " holds the images of " + folderJob + "; choose another folder");
      }
      boolean complete = findLost(file);
      if (!complete && repairs.isEmpty()) {
        Manifest.keep(file, (line, at) -> !isLost(line));
        lostPlaces.clear();
      }
      end = load(file);
      if (!complete) {
        cursor = "";
      }
    }
    manifest = Manifest.open(file, end);
    merge();
  }

  /** Looks for prompts of the opened job of which an image is missing; true if there is none. */
  private boolean findLost(Path file) throws IOException {
    Manifest.read(
        file,
        (line, end) -> {
          if (!line.folderJob().equals(folderJob)) {
            throw new IOException(
                file + " has images of " + folderJob + " and of " + line.folderJob());
          }
          if (line.job().equals(job) && line.succeeded() && !isOnDisk(line)) {
            lostPlaces.set(line.place());
          }
        });
    return lostPlaces.isEmpty();
  }

  private boolean isLost(ManifestLine line) {
    return line.job().equals(job) && lostPlaces.get(line.place());
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
          if (line.succeeded() && !isLost(line)) {
            files.add(line.file());
          }
          if (line.endsPrompt()) {
            files.forEach(names::add);
            files.clear();
            take(line, complete[0]);
            complete[0] = end;
          }
        });
    return complete[0];
  }

  private void take(ManifestLine line, long start) {
    if (isLost(line)) {
      repairs.ifPresent(missing -> missing.addLost(line));
      return;
    }
    count(line, start);
    if (line.job().equals(job)) {
      cursor = line.cursor();
    } else {
      repairs.ifPresent(
          missing -> {
            missing.remove(line);
            if (!line.succeeded()) {
              missing.add(line);
            }
          });
    }
  }

  /**
   * @param start position of the prompt's first line in the manifest
   */
  private void count(ManifestLine line, long start) {
    int place = line.place();
    if (has(place) || lostPlaces.get(place)) {
      superseded.put(place, start);
    }
    if (repairs.isEmpty()) {
      countPrompt(line, place);
    } else if (line.job().equals(job)) {
      countPrompt(line, Math.toIntExact(line.offset()));
    }
    pictured.set(place, line.succeeded());
    withoutPictures.set(place, !line.succeeded());
    lostPlaces.clear(place);
    if (line.succeeded()) {
      images += line.images();
    }
  }

  private void countPrompt(ManifestLine line, int offset) {
    prompts.set(offset);
    failed.set(offset, OutcomeStatus.FAILED.equals(line.status()));
    stopped.set(offset, !line.succeeded() && !failed.get(offset));
  }

  /** Whether the outcome of a prompt of the opened job is here. */
  public boolean has(PromptResult result) {
    return prompts.get(Math.toIntExact(result.getOffset()));
  }

  private boolean has(int place) {
    return pictured.get(place) || withoutPictures.get(place);
  }

  /** Leaves each prompt's newest outcome alone in the manifest. */
  public void merge() throws IOException {
    if (superseded.isEmpty()) {
      return;
    }
    Path file = folder.resolve(Manifest.FILE);
    manifest.close();
    Manifest.keep(file, (line, end) -> end > superseded.getOrDefault(line.place(), -1L));
    superseded.clear();
    manifest = Manifest.open(file, Files.size(file));
  }

  /** Where reading goes on: the cursor of the last result that is here, or empty. */
  public String cursor() {
    return cursor;
  }

  /** Prompts of the opened job that are here, failed ones included. */
  public long prompts() {
    return prompts.cardinality();
  }

  /** Prompts of the opened job that were given up. */
  public long failed() {
    return failed.cardinality();
  }

  /** Prompts of the opened job that were cancelled or expired. */
  public long stopped() {
    return stopped.cardinality();
  }

  /** Prompts of the job that the folder was made for without images, also after replays. */
  public long withoutImages() {
    return withoutPictures.cardinality();
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
    OptionalInt place = placeOf(result);
    cursor = response.getCursor();
    if (place.isEmpty()) {
      prompts.set(Math.toIntExact(result.getOffset()));
      return List.of();
    }
    ManifestLine.Repeated repeats =
        repairs.isPresent() ? new ManifestLine.Repeated(folderJob, place.getAsInt()) : null;
    List<ManifestLine> lines = new ArrayList<>();
    List<String> files = new ArrayList<>();
    if (result.hasImages()) {
      List<GeneratedImage> made = result.getImages().getImagesList();
      files.addAll(namesFor(result, place.getAsInt(), made));
      for (int i = 0; i < made.size(); i++) {
        write(files.get(i), result, made.get(i));
        lines.add(ManifestLine.of(job, repeats, result, made.get(i), files.get(i), cursor));
      }
    } else {
      lines.add(ManifestLine.ofFailure(job, repeats, result, cursor));
    }
    long start = manifest.position();
    try {
      Manifest.append(manifest, lines);
    } catch (IOException e) {
      throw WholeFile.named(folder.resolve(Manifest.FILE), e);
    }
    count(lines.get(lines.size() - 1), start);
    return files;
  }

  /** Where in the folder's job a result belongs; empty if what is there is as good. */
  private OptionalInt placeOf(PromptResult result) {
    if (repairs.isPresent()) {
      return repairs.get().take(result);
    }
    int place = Math.toIntExact(result.getOffset());
    return prompts.get(place) ? OptionalInt.empty() : OptionalInt.of(place);
  }

  private List<String> namesFor(PromptResult result, long place, List<GeneratedImage> made) {
    if (made.isEmpty()) {
      throw new BitloomException(
          ErrorCode.RESULT_MISSING, "the result of " + result.getCustomId() + " has no image");
    }
    String extension = ImageName.extension(made.get(0).getFormat());
    return Arrays.asList(names.forPrompt(result.getCustomId(), place, made.size(), extension));
  }

  private void write(String name, PromptResult result, GeneratedImage image) throws IOException {
    if (!image.getSha256().equals(sha256(image.getData()))) {
      throw new BitloomException(
          ErrorCode.RESULT_CORRUPT,
          "image " + image.getIndex() + " of " + result.getCustomId() + " has a wrong checksum");
    }
    WholeFile.write(folder.resolve(name), image.getData()::writeTo);
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
