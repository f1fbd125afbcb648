package io.bitloom.training.data.demo;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Says in varied words what a composition shows. What is not said has one meaning: a thing without
 * a size is of medium size, without a place in the middle, without a colour in its own.
 */
final class Captions {
  private static final List<String> OPENINGS =
      List.of("", "", "", "", "a picture of ", "a drawing of ", "there is ");

  private Captions() {}

  static String caption(Composition composition, RandomGenerator random) {
    String what =
        composition instanceof Composition.Single single
            ? single(single, random)
            : pair((Composition.Pair) composition, random);
    String where = pick(composition.backdrop().phrases(), random);
    String opening = pick(OPENINGS, random);
    return switch (random.nextInt(4)) {
      case 0 -> where + ", " + what;
      case 1 -> opening + what + ", " + where;
      default -> opening + what + " " + where;
    };
  }

  private static String single(Composition.Single single, RandomGenerator random) {
    String size =
        switch (single.size()) {
          case SMALL -> pick(List.of("small ", "little ", "tiny "), random);
          case MEDIUM -> "";
          case LARGE -> pick(List.of("large ", "big ", "huge "), random);
        };
    String place =
        switch (single.place()) {
          case LEFT -> pick(List.of(" on the left", " on the left side"), random);
          case MIDDLE -> pick(List.of("", "", " in the middle", " in the centre"), random);
          case RIGHT -> pick(List.of(" on the right", " on the right side"), random);
        };
    return withArticle(size + name(single.subject(), random)) + place;
  }

  private static String pair(Composition.Pair pair, RandomGenerator random) {
    String first = withArticle(name(pair.first(), random));
    String second = withArticle(name(pair.second(), random));
    if (random.nextInt(4) == 0) {
      return switch (pair.relation()) {
        case LEFT_OF -> first + " on the left and " + second + " on the right";
        case RIGHT_OF -> first + " on the right and " + second + " on the left";
        case ABOVE -> first + " at the top and " + second + " at the bottom";
        case BELOW -> first + " at the bottom and " + second + " at the top";
      };
    }
    String relation =
        switch (pair.relation()) {
          case LEFT_OF -> pick(List.of("to the left of", "left of"), random);
          case RIGHT_OF -> pick(List.of("to the right of", "right of"), random);
          case ABOVE -> pick(List.of("above", "over"), random);
          case BELOW -> pick(List.of("below", "under"), random);
        };
    return first + " " + relation + " " + second;
  }

  private static String name(Subject subject, RandomGenerator random) {
    boolean unsaid = subject.isNatural() && random.nextInt(3) == 0;
    return subject.colour().isEmpty() || unsaid
        ? subject.thing().word()
        : subject.colour().get().word() + " " + subject.thing().word();
  }

  private static String withArticle(String noun) {
    return ("aeiou".indexOf(noun.charAt(0)) >= 0 ? "an " : "a ") + noun;
  }

  private static String pick(List<String> ways, RandomGenerator random) {
    return ways.get(random.nextInt(ways.size()));
  }
}
