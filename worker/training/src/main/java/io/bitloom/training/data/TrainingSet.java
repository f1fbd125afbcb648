package io.bitloom.training.data;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.image.decode.PictureFile;
import io.bitloom.engine.tensor.WeightsException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Captioned pictures, grouped by the scale schedule that fits their shape. The files are read once
 * to see what is there; after that only the place of every line is known (12 bytes a line), and
 * lines are read when they are needed, by any thread.
 *
 * <p>A folder holds the official trainer's split files {@code [h_div_w]_[count].jsonl}, or any
 * other {@code *.jsonl}, such as {@code captions.jsonl}.
 */
public final class TrainingSet implements SampleSource {
  private static final Pattern SPLIT = Pattern.compile("(\\d+(?:\\.\\d+)?)_(\\d+)\\.jsonl");
  private static final int OFFSET_BITS = 44;
  private static final int MAX_FILES = 1 << (Long.SIZE - 1 - OFFSET_BITS);
  private static final int MAX_LINE_BYTES = 1 << 20;

  private final DataConfig config;
  private final Path root; // that relative image paths start from
  private final Predicate<String> part;
  private final List<Path> files;
  private final Map<ScaleSchedule, Lines> lines =
      new TreeMap<>(Comparator.comparing(ScaleSchedule::id));
  private final DropReport report = new DropReport();

  /** Places of lines, file and offset in one number, and their numbers in the file. */
  private static final class Lines {
    private long[] places = new long[64];
    private int[] numbers = new int[64];
    private int count;

    private void add(long place, int number) {
      if (count == places.length) {
        places = Arrays.copyOf(places, 2 * count);
        numbers = Arrays.copyOf(numbers, 2 * count);
      }
      numbers[count] = number;
      places[count++] = place;
    }
  }

  private TrainingSet(DataConfig config, Path captions, Predicate<String> part) throws IOException {
    this.config = config;
    this.part = part;
    Path beside = Files.isDirectory(captions) ? captions : captions.getParent();
    this.root = config.images() == null ? beside : config.images();
    this.files = captionFiles(captions);
    for (int file = 0; file < files.size(); file++) {
      scan(file);
    }
  }

  /**
   * Reads all caption files once.
   *
   * <p>A line that is no caption is left out, counted and named.
   *
   * @param config size class, filters and what is done about orientations and profiles
   * @param captions a caption file, or a folder of them
   * @param part which image paths belong to this set, to split one into training and validation
   * @throws IOException if a file cannot be read
   */
  public static TrainingSet scan(DataConfig config, Path captions, Predicate<String> part)
      throws IOException {
    return new TrainingSet(config, captions, part);
  }

  private static List<Path> captionFiles(Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return List.of(path);
    }
    try (Stream<Path> entries = Files.list(path)) {
      List<Path> found =
          entries.filter(file -> file.toString().endsWith(".jsonl")).sorted().toList();
      if (found.isEmpty() || found.size() > MAX_FILES) {
        throw new IOException(path + ": has " + found.size() + " caption files (*.jsonl)");
      }
      return found;
    }
  }

  private void scan(int file) throws IOException {
    Path path = files.get(file);
    Matcher split = SPLIT.matcher(String.valueOf(path.getFileName()));
    OptionalDouble ofFile =
        split.matches()
            ? OptionalDouble.of(Double.parseDouble(split.group(1)))
            : OptionalDouble.empty();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
      long offset = 0;
      int number = 0;
      for (byte[] line = line(in, path); line != null; line = line(in, path)) {
        number++;
        String text = new String(line, StandardCharsets.UTF_8).strip();
        if (!text.isEmpty()) {
          add(number, text, ofFile, file, offset);
        }
        offset += line.length + 1L;
      }
    }
  }

  private void add(int number, String text, OptionalDouble ofFile, int file, long offset) {
    String source = files.get(file) + ":" + number;
    CaptionLine caption;
    try {
      caption = CaptionLine.parse(source, text, root, config.pictures());
    } catch (WeightsException e) {
      report.bad("the line is no caption", source, e.getMessage().substring(source.length() + 2));
      return;
    }
    String image = caption.image().toString();
    if (!part.test(image)) {
      return;
    }
    Optional<String> fault = config.fault(caption);
    if (fault.isPresent()) {
      report.drop(fault.get(), source + ": " + image);
      return;
    }
    try {
      double hDivW = hDivW(caption, ofFile);
      ScaleSchedule schedule = ScaleSchedules.nearest(hDivW).schedule(config.size());
      lines
          .computeIfAbsent(schedule, it -> new Lines())
          .add((long) file << OFFSET_BITS | offset, number);
      report.keep();
    } catch (IOException e) {
      report.bad("the picture cannot be read", source + ": " + image, e.getMessage());
    }
  }

  private double hDivW(CaptionLine caption, OptionalDouble ofFile) throws IOException {
    if (caption.hDivW().isPresent() || ofFile.isPresent()) {
      return caption.hDivW().orElseGet(ofFile::getAsDouble);
    }
    PictureFile.Size size = PictureFile.size(caption.image(), config.pictures());
    return (double) size.height() / size.width();
  }

  @Override
  public List<ScaleSchedule> schedules() {
    return List.copyOf(lines.keySet());
  }

  @Override
  public int count(ScaleSchedule schedule) {
    return lines.get(schedule).count;
  }

  @Override
  public DropReport report() {
    return report;
  }

  /** Reads the sample's line. */
  @Override
  public CaptionLine sample(ScaleSchedule schedule, int index) {
    long place = lines.get(schedule).places[index];
    Path path = files.get((int) (place >>> OFFSET_BITS));
    long offset = place & (1L << OFFSET_BITS) - 1;
    try (InputStream in = Files.newInputStream(path)) {
      in.skipNBytes(offset);
      String text = new String(line(new BufferedInputStream(in), path), StandardCharsets.UTF_8);
      return CaptionLine.parse(
          path + ":" + lines.get(schedule).numbers[index], text.strip(), root, config.pictures());
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot be read any more", e);
    }
  }

  /** The bytes up to the next line feed; null at the end. */
  private static byte[] line(InputStream in, Path path) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next = in.read();
    if (next < 0) {
      return null;
    }
    for (; next >= 0 && next != '\n'; next = in.read()) {
      line.write(next);
      if (line.size() > MAX_LINE_BYTES) {
        throw new IOException(path + ": has a line of more than " + MAX_LINE_BYTES + " bytes");
      }
    }
    return line.toByteArray();
  }
}
