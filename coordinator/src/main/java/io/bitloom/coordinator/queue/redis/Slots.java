package io.bitloom.coordinator.queue.redis;

import io.lettuce.core.cluster.SlotHash;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Hash tags by which what belongs together lies apart: the slots of a Redis Cluster are divided
 * into as many equal ranges as there are parts, and each part gets a tag whose slot is in another
 * range. Masters have ranges of slots, so that all of them get about as many parts.
 */
final class Slots {

  private static final int MOST_KNOWN = 10_000;

  private final Map<String, String> known = new ConcurrentHashMap<>();

  /**
   * A tag for one of several parts: always the same.
   *
   * @param whole the tag of the whole, which lies in the range of the first part
   * @param part begins the tag
   */
  String tag(String whole, String part, int number, int of) {
    String found = known.get(part);
    if (found == null) {
      found = find(part, (range(whole, of) + number) % of, of);
      if (known.size() >= MOST_KNOWN) {
        known.clear();
      }
      known.put(part, found);
    }
    return found;
  }

  private static String find(String part, int wanted, int of) {
    for (int k = 0; ; k++) {
      String tag = part + "." + k;
      if (range(tag, of) == wanted) {
        return tag;
      }
    }
  }

  private static int range(String tag, int of) {
    return SlotHash.getSlot(tag) * of / SlotHash.SLOT_COUNT;
  }
}
