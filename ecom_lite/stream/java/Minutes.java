package ecom_lite;

import java.io.Serializable;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.FlatMapGroupsWithStateFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.streaming.GroupState;

/**
 * What a micro-batch adds to a share of a minute: the lines that were not known of it, and the orders that they begin.
 *
 * The state of a share is the sorted hashes of its lines, and of its orders by category and currency. It is given up when the
 * watermark has passed the minute's end.
 */
public class Minutes implements FlatMapGroupsWithStateFunction, Serializable {
    private static final int MINUTE = 1, LINE = 2, ORDER = 3, CATEGORY = 4, CURRENCY = 5, REVENUE = 6, QUANTITY = 7;

    /** Gives one row, or none: rows of COPY's text (minute, category, currency, revenue, orders, lines, units), arrived, new lines. */
    public Iterator call(Object key, Iterator lines, GroupState state) {
        if (state.hasTimedOut()) {
            state.remove();
            return Collections.emptyIterator();
        }
        long[] known = state.exists() ? longs((byte[]) state.get()) : new long[0];
        HashSet fresh = new HashSet();
        HashMap cells = new HashMap();
        long arrived = 0, added = 0, minute = 0;
        while (lines.hasNext()) {
            Row line = (Row) lines.next();
            arrived++;
            minute = line.getLong(MINUTE);
            if (!isNew(line.getLong(LINE), known, fresh)) continue;
            added++;
            String name = line.getString(CATEGORY) + '\u0000' + line.getString(CURRENCY);
            Cell cell = (Cell) cells.get(name);
            if (cell == null) {
                cell = new Cell(line.getString(CATEGORY), line.getString(CURRENCY));
                cells.put(name, cell);
            }
            if (isNew(line.getLong(ORDER), known, fresh)) cell.orders++;
            cell.lines++;
            cell.units += line.getLong(QUANTITY);
            cell.revenue = cell.revenue.add(BigDecimal.valueOf(line.getLong(REVENUE), 4));
        }
        if (added > 0) state.update(merged(known, fresh));
        // Each time: a call that sets none takes away the one before, and the share would be kept for ever.
        state.setTimeoutTimestamp(Math.max((minute + 60) * 1000, state.getCurrentWatermarkMs() + 1));
        StringBuilder text = new StringBuilder();
        for (Iterator each = cells.values().iterator(); each.hasNext();) ((Cell) each.next()).write(minute, text);
        List rows = new ArrayList(1);
        rows.add(RowFactory.create(new Object[] {text.toString(), Long.valueOf(arrived), Long.valueOf(added)}));
        return rows.iterator();
    }

    private static boolean isNew(long hash, long[] known, HashSet fresh) {
        return Arrays.binarySearch(known, hash) < 0 && fresh.add(Long.valueOf(hash));
    }

    private static long[] longs(byte[] state) {
        long[] values = new long[state.length / 8];
        ByteBuffer.wrap(state).asLongBuffer().get(values);
        return values;
    }

    private static byte[] merged(long[] known, HashSet fresh) {
        long[] added = new long[fresh.size()];
        int n = 0;
        for (Iterator each = fresh.iterator(); each.hasNext();) added[n++] = ((Long) each.next()).longValue();
        Arrays.sort(added);
        ByteBuffer buffer = ByteBuffer.allocate(8 * (known.length + added.length));
        int i = 0, j = 0;
        while (i < known.length && j < added.length) buffer.putLong(known[i] < added[j] ? known[i++] : added[j++]);
        while (i < known.length) buffer.putLong(known[i++]);
        while (j < added.length) buffer.putLong(added[j++]);
        return buffer.array();
    }

    private static class Cell {
        final String category, currency;
        BigDecimal revenue = BigDecimal.ZERO;
        long orders, lines, units;

        Cell(String category, String currency) {
            this.category = category;
            this.currency = currency;
        }

        void write(long minute, StringBuilder text) {
            text.append(minute).append('\t');
            for (int i = 0; i < category.length(); i++) {
                char c = category.charAt(i);
                if (c == '\\') text.append("\\\\");
                else if (c == '\t') text.append("\\t");
                else if (c == '\n') text.append("\\n");
                else if (c == '\r') text.append("\\r");
                else text.append(c);
            }
            text.append('\t').append(currency).append('\t').append(revenue.toPlainString()).append('\t').append(orders).append('\t')
                .append(lines).append('\t').append(units).append('\n');
        }
    }
}
