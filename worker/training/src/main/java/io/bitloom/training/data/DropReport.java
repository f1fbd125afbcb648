package io.bitloom.training.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What was left out of the training data and why, with the first few samples of each reason. */
public final class DropReport {
  private static final int NAMED = 20;

  private final Map<String, Reason> reasons = new LinkedHashMap<>();
  private final Set<String> bad = new HashSet<>();
  private final Map<String, Reason> remarks = new LinkedHashMap<>();
  private long neverKept;
  private long kept;

  private static final class Reason {
    private final List<String> examples = new ArrayList<>();
    private long count;
  }

  synchronized void keep() {
    kept++;
  }

  synchronized void drop(String reason, String sample) {
    count(reasons, reason, sample);
  }

  /** Counts what is odd about a picture that is used all the same, once for every reading. */
  synchronized void remark(String remark, String sample) {
    count(remarks, remark, sample);
  }

  private static void count(Map<String, Reason> all, String reason, String sample) {
    Reason found = all.computeIfAbsent(reason, name -> new Reason());
    found.count++;
    if (found.examples.size() < NAMED) {
      found.examples.add(sample);
    }
  }

  /** Counts a line or picture that cannot be read, before it was kept. */
  synchronized void bad(String reason, String sample, String fault) {
    if (bad.add(sample)) {
      neverKept++;
      drop(reason, sample + ": " + fault);
    }
  }

  /** Counts a kept sample that cannot be made ready; the same one once only. */
  synchronized void spoiled(String reason, String sample, String fault) {
    if (bad.add(sample)) {
      drop(reason, sample + ": " + fault);
    }
  }

  /**
   * Ends what uses the samples if too many are bad.
   *
   * @param most largest share of the lines that may be, not counting what was filtered
   * @throws BadDataException naming counts, reasons and the first samples
   */
  public synchronized void check(double most) {
    if (bad.size() > most * (kept + neverKept)) {
      throw new BadDataException(
          String.format(
              Locale.ROOT,
              "%d of %d samples are bad, more than data.most_bad, %s, allows: %s",
              bad.size(),
              kept + neverKept,
              most,
              json().get("dropped")));
    }
  }

  /** Samples that were kept. */
  public synchronized long kept() {
    return kept;
  }

  /** Samples that were left out. */
  public synchronized long dropped() {
    return reasons.values().stream().mapToLong(reason -> reason.count).sum();
  }

  /** Number of samples left out for a reason. */
  public synchronized long dropped(String reason) {
    return reasons.containsKey(reason) ? reasons.get(reason).count : 0;
  }

  /**
   * {@code {"kept": n, "dropped": {reason: {"count": n, "examples": […]}}, "remarks": {…}}}, the
   * last only where there are any.
   */
  public synchronized JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("kept", kept);
    json.add("dropped", json(reasons));
    if (!remarks.isEmpty()) {
      json.add("remarks", json(remarks));
    }
    return json;
  }

  private static JsonObject json(Map<String, Reason> all) {
    JsonObject json = new JsonObject();
    all.forEach(
        (name, reason) -> {
          JsonArray examples = new JsonArray();
          reason.examples.forEach(examples::add);
          JsonObject entry = new JsonObject();
          entry.addProperty("count", reason.count);
          entry.add("examples", examples);
          json.add(name, entry);
        });
    return json;
  }
}
