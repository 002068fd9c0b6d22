package ecom_lite;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/**
 * Tells of a record's bytes whether they are an order line as the loader takes it, and what the minutes need of it.
 *
 * Each rule is one of `contract/` in Python; a corpus of cases holds both to the same answers. Spark's own JSON and type functions
 * could say the same, in a statement of 300 lines that cost 54 us of CPU per record and was planned anew with every micro-batch.
 */
public class Judge implements UDF1, Serializable {
    private static final int ORDER_ID = 0, USER_ID = 1, PRODUCT_ID = 2, TITLE = 3, CATEGORY = 4, CURRENCY = 5, PRICE = 6, LIST_PRICE = 7,
        QUANTITY = 8, REVENUE = 9, TIME = 10, EVENT_ID = 11, EVENT_TYPE = 12, VERSION = 13, FIELDS = 14;
    private static final String[] NAMES = {
        "order_id", "user_id", "product_id", "product_title", "category", "currency", "price", "list_price",
        "quantity", "revenue", "timestamp", "event_id", "event_type", "schema_version"
    };
    private static final String JUDGED =
        "order_id STRING, product_id STRING, category STRING, quantity BIGINT, revenue_e4 BIGINT, currency STRING, ordered_us BIGINT, "
        + "valid BOOLEAN, ahead BOOLEAN";
    private static final byte ABSENT = 0, TEXT = 1, WHOLE = 2, NUMBER = 3, OTHER = 4;
    private static final Row REFUSED = RowFactory.create(new Object[] {null, null, null, null, null, null, null, false, false});
    private static final JsonFactory JSON = new JsonFactory();
    private static final Map FIELD = new HashMap();
    private static final BigDecimal HALF_CENT = new BigDecimal("0.005");
    private static final int MONEY_CHARS = 64;
    static {
        for (int i = 0; i < FIELDS; i++) FIELD.put(NAMES[i], Integer.valueOf(i));
    }

    private final int maxBytes, maxId, maxText, maxQuantity;
    private final BigDecimal priceLimit;
    private final long earliestUs, latestAheadMs, aheadMs, millisecondsFrom;
    private final String uncategorised, currency, isoTime;
    private final HashMap decimals = new HashMap();
    private transient Pattern iso;

    public Judge(Map limits) {
        maxBytes = whole(limits, "max_bytes");
        maxId = whole(limits, "max_id");
        maxText = whole(limits, "max_text");
        maxQuantity = whole(limits, "max_quantity");
        priceLimit = new BigDecimal(limits.get("price_limit").toString());
        earliestUs = ((Number) limits.get("earliest_us")).longValue();
        latestAheadMs = ((Number) limits.get("latest_ahead_ms")).longValue();
        aheadMs = ((Number) limits.get("ahead_ms")).longValue();
        millisecondsFrom = ((Number) limits.get("milliseconds_from")).longValue();
        uncategorised = (String) limits.get("uncategorised");
        currency = (String) limits.get("currency");
        isoTime = (String) limits.get("iso_time");
        String[] codes = ((String) limits.get("decimals")).split(" ");  // "USD:2 JPY:0"
        for (int i = 0; i < codes.length; i++) decimals.put(codes[i].substring(0, 3), Integer.valueOf(codes[i].substring(4)));
    }

    private static int whole(Map limits, String name) {
        return ((Number) limits.get(name)).intValue();
    }

    /** As Spark calls it. Not deterministic, to Spark: else it would judge a record again for each column that is read of it. */
    public UserDefinedFunction function() {
        return functions.udf((UDF1) this, StructType.fromDDL(JUDGED)).asNondeterministic();
    }

    /** A row of JUDGED; `revenue_e4` is in 1/10000. */
    public Object call(Object value) {
        if (value == null || ((byte[]) value).length > maxBytes) return REFUSED;
        try {
            return judged(new Line((byte[]) value));
        } catch (IOException refused) {
            return REFUSED;
        } catch (DateTimeException refused) {
            return REFUSED;
        } catch (ArithmeticException refused) {
            return REFUSED;
        }
    }

    private Row judged(Line line) {
        if (line.kind[EVENT_TYPE] != ABSENT && !"order".equals(line.text[EVENT_TYPE])) return REFUSED;
        if (line.kind[EVENT_ID] > TEXT) return REFUSED;
        if (line.kind[VERSION] != ABSENT && (line.kind[VERSION] != WHOLE || line.wholeNumber(VERSION) == null)) return REFUSED;

        String order = line.kind[ORDER_ID] == TEXT ? idText(line.text[ORDER_ID]) : line.number(ORDER_ID, 0);
        String product = id(line, PRODUCT_ID);
        if (order == null || product == null || id(line, USER_ID) == null) return REFUSED;

        if (line.kind[TITLE] > TEXT || line.kind[CATEGORY] > TEXT || line.kind[CURRENCY] > TEXT) return REFUSED;
        String title = line.text[TITLE];
        if (title != null && !fits(title, maxText)) return REFUSED;
        String category = line.text[CATEGORY];
        if (category == null || category.isEmpty()) category = uncategorised;
        if (!fits(category, maxText)) return REFUSED;

        String code = line.text[CURRENCY];
        code = code == null || code.isEmpty() ? currency : upper(code);
        Integer places = (Integer) decimals.get(code);
        if (places == null) return REFUSED;
        BigDecimal price = price(line, PRICE, places.intValue());
        if (price == null) return REFUSED;
        boolean listed = line.kind[LIST_PRICE] != ABSENT && !(line.kind[LIST_PRICE] == TEXT && line.text[LIST_PRICE].isEmpty());
        if (listed && price(line, LIST_PRICE, places.intValue()) == null) return REFUSED;
        Long quantity = line.wholeNumber(QUANTITY);
        if (quantity == null || quantity.longValue() < 1 || quantity.longValue() > maxQuantity) return REFUSED;
        BigDecimal revenue = price.multiply(BigDecimal.valueOf(quantity.longValue()));
        if (line.kind[REVENUE] != ABSENT) {
            BigDecimal said = line.amount(REVENUE);
            BigDecimal half = BigDecimal.valueOf(5, places.intValue() + 1).min(HALF_CENT);
            if (said == null || said.subtract(revenue).abs().compareTo(half) >= 0) return REFUSED;
        }

        long us = time(line), nowMs = System.currentTimeMillis();
        if (us < earliestUs || Math.floorDiv(us, 1000L) > nowMs + latestAheadMs) return REFUSED;
        return RowFactory.create(new Object[] {
            order, product, category, quantity, Long.valueOf(revenue.setScale(4).unscaledValue().longValueExact()), code,
            Long.valueOf(us), Boolean.TRUE,
            // A clock that runs ahead must not drag the watermark past everybody else's events.
            Boolean.valueOf(Math.floorDiv(us, 1000L) > nowMs + aheadMs)
        });
    }

    /** A text that fits a column: PostgreSQL takes no NUL. */
    private static boolean fits(String text, int max) {
        return (text.length() <= max || text.codePointCount(0, text.length()) <= max) && text.indexOf(0) < 0;
    }

    private String idText(String text) {
        return !text.isEmpty() && fits(text, maxId) ? text : null;
    }

    /** Digits in a text are a number, without leading zeros; any other text is the id itself. Null: no id. */
    private String id(Line line, int field) {
        if (line.kind[field] != TEXT) return line.number(field, 1);
        String text = idText(line.text[field]);
        if (text == null || !digits(text, 0, text.length())) return text;
        int zeros = 0;
        while (zeros < text.length() && text.charAt(zeros) == '0') zeros++;
        return zeros == text.length() ? null : text.substring(zeros);
    }

    private static String upper(String code) {
        if (code.length() != 3) return "";
        for (int i = 0; i < 3; i++) {
            char c = code.charAt(i);
            if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z')) return "";
        }
        return code.toUpperCase(java.util.Locale.ROOT);
    }

    private BigDecimal price(Line line, int field, int places) {
        BigDecimal amount = line.amount(field);
        if (amount == null || amount.signum() < 0 || amount.compareTo(priceLimit) >= 0) return null;
        if (amount.setScale(2, RoundingMode.HALF_UP).compareTo(priceLimit) >= 0) return null;
        return amount.scale() <= places ? amount : amount.setScale(places, RoundingMode.UNNECESSARY);
    }

    /** Microseconds since 1970. Throws DateTimeException, ArithmeticException. */
    private long time(Line line) {
        String text = line.text[TIME];
        int kind = line.kind[TIME];
        if (kind == ABSENT || kind == OTHER) throw new DateTimeException("no time");
        if (kind != TEXT || isEpoch(text)) {
            BigDecimal epoch = kind == TEXT ? new BigDecimal(text) : line.amount(TIME);
            if (epoch == null || epoch.signum() < 0 || epoch.precision() - epoch.scale() > 13) throw new DateTimeException(text);
            int places = epoch.compareTo(BigDecimal.valueOf(millisecondsFrom)) < 0 ? 6 : 3;
            return epoch.movePointRight(places).setScale(0, RoundingMode.DOWN).longValueExact();
        }
        int n = text.length();
        // The usual spelling, first and fast: 2026-01-31T12:00:00.123456+01:00
        if (n >= 16 && text.charAt(4) == '-' && text.charAt(7) == '-' && (text.charAt(10) == 'T' || text.charAt(10) == ' ')
            && text.charAt(13) == ':' && digits(text, 0, 4) && digits(text, 5, 7) && digits(text, 8, 10) && digits(text, 11, 13)
            && digits(text, 14, 16)) {
            int at = 16;
            long second = 0, micros = 0;
            if (at < n && text.charAt(at) == ':' && digits(text, at + 1, at + 3)) {
                second = number(text, at + 1, at + 3);
                at += 3;
                if (at < n && text.charAt(at) == '.') {
                    int end = at + 1;
                    while (end < n && text.charAt(end) >= '0' && text.charAt(end) <= '9') end++;
                    if (end > at + 1 && end <= at + 7) {
                        micros = number(text, at + 1, end);
                        for (int i = end; i < at + 7; i++) micros *= 10;
                        at = end;
                    }
                }
            }
            long offset = 0;
            if (at < n && text.charAt(at) == 'Z') {
                at++;
            } else if (at + 6 == n && (text.charAt(at) == '+' || text.charAt(at) == '-') && text.charAt(at + 3) == ':'
                && digits(text, at + 1, at + 3) && digits(text, at + 4, n)) {
                offset = offset(text.charAt(at) == '-', number(text, at + 1, at + 3), number(text, at + 4, n));
                at = n;
            }
            if (at == n) {
                return micros(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10), number(text, 11, 13), number(text, 14, 16),
                    second, micros, offset);
            }
        }
        return otherTime(text);
    }

    /** The other ISO 8601 spellings of a calendar date: basic format, hours only, comma, short offset. */
    private long otherTime(String text) {
        if (iso == null) iso = Pattern.compile(isoTime);
        Matcher m = iso.matcher(text);
        if (!m.find()) throw new DateTimeException(text);
        String fraction = m.group(9) == null ? "" : m.group(9);
        long micros = number(fraction, 0, fraction.length());
        for (int i = fraction.length(); i < 6; i++) micros *= 10;
        String zone = m.group(10) == null ? "Z" : m.group(10);
        long offset = zone.equals("Z") ? 0 : offset(zone.charAt(0) == '-', number(zone, 1, 3), number(m.group(11)));
        return micros(number(m.group(1)), number(m.group(3)), number(m.group(4)), number(m.group(5)), number(m.group(7)),
            number(m.group(8)), micros, offset);
    }

    private static long micros(long year, long month, long day, long hour, long minute, long second, long micros, long offset) {
        if (hour > 23 || minute > 59 || second > 59) throw new DateTimeException("no time of a day");
        long days = LocalDate.of((int) year, (int) month, (int) day).toEpochDay();
        return ((days * 24 + hour) * 3600 + minute * 60 + second - offset) * 1000000 + micros;
    }

    private static long offset(boolean west, long hours, long minutes) {
        if (minutes > 59 || hours * 60 + minutes > 18 * 60) throw new DateTimeException("no offset of a zone");
        return (west ? -60 : 60) * (hours * 60 + minutes);
    }

    /** Digits, with digits behind a point or not; but eight digits alone are the date yyyymmdd. */
    private static boolean isEpoch(String text) {
        int point = text.indexOf('.');
        if (point < 0) return text.length() != 8 && digits(text, 0, text.length());
        return digits(text, 0, point) && digits(text, point + 1, text.length());
    }

    private static boolean digits(String text, int from, int to) {
        if (to > text.length() || from >= to) return false;
        for (int i = from; i < to; i++) if (text.charAt(i) < '0' || text.charAt(i) > '9') return false;
        return true;
    }

    private static long number(String digits) {
        return digits == null ? 0 : number(digits, 0, digits.length());
    }

    private static long number(String digits, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) value = value * 10 + (digits.charAt(i) - '0');
        return value;
    }

    /** The fields of one record: of each the kind of its JSON value, and its text. Of a name that stands twice the last counts. */
    private static class Line {
        final byte[] kind = new byte[FIELDS];
        final String[] text = new String[FIELDS];

        /** Throws IOException where it is not one JSON object in UTF-8. */
        Line(byte[] value) throws IOException {
            boolean escaped = checked(value);
            JsonParser parser = JSON.createParser(value);
            try {
                if (parser.nextToken() != JsonToken.START_OBJECT) throw new IOException("no object");
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    if (escaped) whole(name);
                    Integer field = (Integer) FIELD.get(name);
                    JsonToken token = parser.nextToken();
                    if (field != null) take(field.intValue(), token, parser);
                    skip(token, parser, escaped);
                }
                if (parser.nextToken() != null) throw new IOException("more than one value");
            } finally {
                parser.close();
            }
        }

        private void take(int field, JsonToken token, JsonParser parser) throws IOException {
            text[field] = null;
            if (token == JsonToken.VALUE_NULL) {
                kind[field] = ABSENT;
                return;
            }
            kind[field] = token == JsonToken.VALUE_STRING ? TEXT
                : token == JsonToken.VALUE_NUMBER_INT ? WHOLE : token == JsonToken.VALUE_NUMBER_FLOAT ? NUMBER : OTHER;
            if (kind[field] != OTHER) text[field] = parser.getText();
        }

        private static void skip(JsonToken token, JsonParser parser, boolean escaped) throws IOException {
            if (escaped && token == JsonToken.VALUE_STRING) whole(parser.getText());
            if (!token.isStructStart()) return;
            for (int depth = 1; depth > 0;) {
                JsonToken next = parser.nextToken();
                if (next == null) throw new IOException("not ended");
                if (next.isStructStart()) depth++;
                else if (next.isStructEnd()) depth--;
                else if (escaped && next == JsonToken.VALUE_STRING) whole(parser.getText());
                else if (escaped && next == JsonToken.FIELD_NAME) whole(parser.currentName());
            }
        }

        /** Whether the bytes escape characters by number. Throws where they are not UTF-8, as the reader of JSON would not. */
        private static boolean checked(byte[] value) throws IOException {
            boolean ascii = true, escaped = false;
            if (value.length > 0 && value[0] == (byte) 0xEF) throw new IOException("a byte order mark");
            for (int i = 0; i < value.length; i++) {
                if (value[i] < 0) ascii = false;
                else if (value[i] == 0) throw new IOException("NUL: perhaps UTF-16");
                else if (value[i] == 'u' && i > 0 && value[i - 1] == '\\') escaped = true;
            }
            if (!ascii) StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value));
            return escaped;
        }

        /** Throws where there is half of a surrogate pair. */
        private static void whole(String text) throws IOException {
            for (int i = 0; i < text.length(); i++) {
                if (!Character.isSurrogate(text.charAt(i))) continue;
                if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) throw new IOException("half");
                i++;
            }
        }

        /** A JSON number that is whole and at least `least`, as text; null where it is none. */
        String number(int field, long least) {
            if (kind[field] != WHOLE && kind[field] != NUMBER) return null;
            Long found = wholeNumber(field);
            return found == null || found.longValue() < least ? null : found.toString();
        }

        /** A whole number, also with zeros behind the point or as a text of digits; null where it is none, or beyond 64 bits. */
        Long wholeNumber(int field) {
            String found = text[field];
            if (kind[field] == TEXT) {
                int point = found.indexOf('.'), end = point < 0 ? found.length() : point;
                if (!digits(found, 0, end) || end > 19) return null;
                if (point >= 0) {
                    if (point + 1 == found.length()) return null;
                    for (int i = point + 1; i < found.length(); i++) if (found.charAt(i) != '0') return null;
                }
                found = found.substring(0, end);
            } else if (kind[field] == NUMBER) {
                BigDecimal amount = amount(field);
                if (amount == null || amount.stripTrailingZeros().scale() > 0) return null;
                return Long.valueOf(amount.longValueExact());
            } else if (kind[field] != WHOLE) {
                return null;
            }
            try {
                return Long.valueOf(found);
            } catch (NumberFormatException large) {
                return null;
            }
        }

        /** An exact amount; null where it is none, or so large or fine that it is no amount of anything. */
        BigDecimal amount(int field) {
            String found = text[field];
            if (kind[field] == ABSENT || kind[field] == OTHER || found.length() > MONEY_CHARS) return null;
            if (kind[field] == TEXT) {
                int point = found.indexOf('.');
                if (point < 0 ? !digits(found, 0, found.length()) : !digits(found, 0, point) || !digits(found, point + 1, found.length())) {
                    return null;
                }
            }
            BigDecimal amount;
            try {
                amount = new BigDecimal(found);
            } catch (NumberFormatException exponent) {
                return null;
            }
            if (amount.signum() == 0) return BigDecimal.ZERO;
            return amount.precision() - amount.scale() > 30 || amount.scale() > 400 ? null : amount;
        }
    }
}
