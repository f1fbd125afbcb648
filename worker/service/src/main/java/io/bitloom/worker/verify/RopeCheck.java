package io.bitloom.worker.verify;

import io.bitloom.common.schedule.AspectRatioTemplate;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.Rope2d;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Checks {@code rope2d*}: tables of angles, the rotation of q and k, and positions on the grid. */
final class RopeCheck implements FixtureCheck {
  private static final double TOLERANCE = 1e-5;
  private static final int APPLY_MODE = 2;

  private static final Pattern TABLE =
      Pattern.compile("cache/mode(\\d)/ratio([0-9.]+)/pn([0-9.]+M)");
  private static final Pattern SPARSE_TABLE =
      Pattern.compile("cache_([0-9.]+M)_every(\\d+)/mode(\\d)/ratio([0-9.]+)");
  private static final Pattern ROTATION =
      Pattern.compile("(apply(?:_ratio([0-9.]+))?/(?:scale(\\d+)|full))/[qk]_(?:in|out)");
  private static final Pattern POSITIONS =
      Pattern.compile("(positions_mode2/ratio([0-9.]+))/scale(\\d+)/(row|col)");

  @Override
  public void check(Fixture fixture, FileReport report) {
    int headDim = Integer.parseInt(fixture.text("dim"));
    if (Double.parseDouble(fixture.text("base")) != Rope2d.BASE) {
      report.fault("(file)", "base: expected " + Rope2d.BASE + ", found " + fixture.text("base"));
    }
    Set<String> cases = new LinkedHashSet<>();
    for (String name : fixture.tensors().names()) {
      caseOf(name).ifPresent(cases::add);
    }
    for (String name : cases) {
      report.testCase(name, found -> checkCase(fixture, headDim, name, found));
    }
  }

  /** Tensors that belong together are one case. */
  private static java.util.Optional<String> caseOf(String tensor) {
    for (Pattern grouped : List.of(ROTATION, POSITIONS)) {
      Matcher matcher = grouped.matcher(tensor);
      if (matcher.matches()) {
        return java.util.Optional.of(matcher.group(1));
      }
    }
    boolean table = TABLE.matcher(tensor).matches() || SPARSE_TABLE.matcher(tensor).matches();
    return table ? java.util.Optional.of(tensor) : java.util.Optional.empty();
  }

  private static void checkCase(Fixture fixture, int headDim, String name, CaseReport found) {
    Matcher table = TABLE.matcher(name);
    Matcher sparse = SPARSE_TABLE.matcher(name);
    if (table.matches()) {
      List<Scale> scales = scales(table.group(2), table.group(3));
      Tensor angles = angles(headDim, Integer.parseInt(table.group(1)), scales);
      found.close("cos, sin", angles, fixture.tensors().get(name), TOLERANCE);
    } else if (sparse.matches()) {
      checkSparse(fixture, headDim, sparse, name, found);
    } else if (name.startsWith("apply")) {
      checkRotation(fixture.tensors(name), headDim, name, found);
    } else {
      checkPositions(fixture.tensors(name), name, found);
    }
  }

  private static void checkSparse(
      Fixture fixture, int headDim, Matcher name, String tensor, CaseReport found) {
    String size = name.group(1);
    int step = Integer.parseInt(name.group(2));
    List<Scale> scales = scales(name.group(4), size);
    Tensor angles = angles(headDim, Integer.parseInt(name.group(3)), scales);
    String length = "len_" + size + "_ratio" + name.group(4);
    if (fixture.has(length)) {
      found.equal(length, Long.toString(angles.size(1)), fixture.text(length));
    }
    Tensor rows = angles.slice(1, option(0), option(angles.size(1)), step);
    found.close("cos, sin", rows, fixture.tensors().get(tensor), TOLERANCE);
  }

  private static org.bytedeco.pytorch.LongOptional option(long value) {
    return new org.bytedeco.pytorch.LongOptional(value);
  }

  /** Tokens of one scale, which begin where the earlier ones end, or of the first few together. */
  private static void checkRotation(Weights tensors, int headDim, String name, CaseReport found) {
    Matcher matcher = ROTATION.matcher(name + "/q_in");
    if (!matcher.matches()) {
      throw new IllegalArgumentException("is no rotation");
    }
    List<Scale> scales = template(matcher.group(2) == null ? "1.0" : matcher.group(2)).scales();
    int first = matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3));
    int offset = scales.subList(0, first).stream().mapToInt(Scale::tokens).sum();
    for (String side : List.of("q", "k")) {
      Tensor in = tensors.get(side + "_in"); // (B, heads, L, c)
      try (Rope2d rope = new Rope2d(headDim, APPLY_MODE, Fixture.DEVICE)) {
        Tensor table = rope.table(scales).narrow(1, offset, in.size(2));
        Tensor out = Nn.rotate(in.transpose(1, 2).contiguous(), table).transpose(1, 2);
        found.close(side, out, tensors.get(side + "_out"), TOLERANCE);
      }
    }
  }

  private static void checkPositions(Weights tensors, String name, CaseReport found) {
    List<Scale> scales = template(name.substring(name.indexOf("ratio") + 5)).scales();
    Scale largest = scales.get(scales.size() - 1);
    for (String tensor : tensors.names()) {
      Matcher matcher = POSITIONS.matcher(name + "/" + tensor);
      if (!matcher.matches()) {
        continue; // the suite reports it
      }
      Scale scale = scales.get(Integer.parseInt(matcher.group(3)));
      boolean rows = matcher.group(4).equals("row");
      long[] positions =
          rows
              ? Rope2d.positions(scale.height(), largest.height())
              : Rope2d.positions(scale.width(), largest.width());
      found.equal(tensor, Tensors.of(positions, positions.length), tensors.get(tensor));
    }
  }

  /** cos and sin of all tokens of a schedule (2, L, c/2). */
  private static Tensor angles(int headDim, int mode, List<Scale> scales) {
    try (Rope2d rope = new Rope2d(headDim, mode, Fixture.DEVICE)) {
      Tensor table = torch.view_as_real(rope.table(scales)); // (1, L, 1, c/2, 2)
      return table.squeeze(2).squeeze(0).permute(2, 0, 1).contiguous();
    }
  }

  private static List<Scale> scales(String ratio, String size) {
    return template(ratio)
        .schedule(
            SizeClass.find(size)
                .orElseThrow(() -> new IllegalArgumentException("there is no size " + size)))
        .scales();
  }

  private static AspectRatioTemplate template(String ratio) {
    double hDivW = Double.parseDouble(ratio);
    return ScaleSchedules.templates().stream()
        .filter(candidate -> candidate.hDivW() == hDivW)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no template " + ratio));
  }
}
