package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.training.data.CaptionedPicture;
import io.bitloom.training.data.DataConfig;
import io.bitloom.training.data.DropReport;
import io.bitloom.training.data.SampleSource;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The demo data set without files: pictures are drawn when they are needed. The samples, and their
 * order, are those of the files that {@code bitloom demo-data} writes.
 */
public final class DemoSource implements SampleSource {
  /** The only size that examples are drawn in. */
  public static final SizeClass SIZE = DataConfig.Demo.SIZE;

  private static final List<ScaleSchedule> IN_TURN = DemoDataset.schedules(SIZE);

  private final DemoDataset dataset;
  private final int count;
  private final String name;
  private final DemoPictures pictures = new DemoPictures();
  private final DropReport report = new DropReport();

  /**
   * The first examples of a data set.
   *
   * @param name of the data set: seed, and whether it is held out
   */
  public DemoSource(DemoDataset dataset, int count, String name) {
    this.dataset = dataset;
    this.count = count;
    this.name = name;
  }

  @Override
  public List<ScaleSchedule> schedules() {
    return IN_TURN.stream()
        .filter(schedule -> count(schedule) > 0)
        .sorted(Comparator.comparing(ScaleSchedule::id))
        .toList();
  }

  @Override
  public int count(ScaleSchedule schedule) {
    return (count - IN_TURN.indexOf(schedule) + IN_TURN.size() - 1) / IN_TURN.size();
  }

  @Override
  public CaptionedPicture sample(ScaleSchedule schedule, int index) {
    long number = (long) index * IN_TURN.size() + IN_TURN.indexOf(schedule);
    return new Drawn(dataset.example(number));
  }

  @Override
  public DropReport report() {
    return report;
  }

  private final class Drawn implements CaptionedPicture {
    private final DemoExample example;

    private Drawn(DemoExample example) {
      this.example = example;
    }

    @Override
    public String name() {
      return name + " " + example.index();
    }

    @Override
    public List<String> captions() {
      return List.of(example.caption());
    }

    @Override
    public String caption(double shortProbability, RandomGenerator random) {
      return example.caption();
    }

    @Override
    public String version() {
      return name() + " version " + DemoPictures.VERSION;
    }

    @Override
    public RgbImage picture(int width, int height, Consumer<String> remarks) {
      return pictures.draw(example);
    }
  }
}
