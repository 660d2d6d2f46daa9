/// One function of a flame graph without the ones it calls: a tree as a list, which nobody has to recurse over.
package struct FlameRow: Hashable, Sendable {
    /// Index of the caller in the list, always smaller than one's own; nil for the root.
    package var parent: Int?
    package var function: String
    package var place: String?
    package var role: FrameRole
    package var bytes: Double
    package var ownBytes: Double
    package var growthBytes: Double?
}

extension FlameNode {
    /// The tree as a list, callers before what they call, callees in their order. Of more than `limit` nodes the smallest
    /// are left out, with all they call; their bytes stay in their callers.
    ///
    /// - Returns: at least the root, and how many nodes were left out.
    package func rows(limit: Int) -> (rows: [FlameRow], leftOut: Int) {
        var all: [(row: FlameRow, weight: Double)] = []
        var waiting: [(node: FlameNode, parent: Int?)] = [(self, nil)]
        while let (node, parent) = waiting.popLast() {
            // What is there or was there before: no callee has more of either than its caller, but for rounding.
            let before = node.bytes - (node.growthBytes ?? 0)
            let weight = min(max(node.bytes, before), parent.map { all[$0].weight } ?? .infinity)
            waiting += node.children.reversed().map { ($0, all.count) }
            all.append(
                (
                    FlameRow(
                        parent: parent, function: node.function, place: node.place, role: node.role,
                        bytes: node.bytes, ownBytes: node.ownBytes, growthBytes: node.growthBytes), weight
                ))
        }
        // Callers come first among equals, so whoever is kept has its caller kept.
        let order = all.indices.sorted { (-all[$0].weight, $0) < (-all[$1].weight, $1) }
        var place = [Int?](repeating: nil, count: all.count)
        var rows: [FlameRow] = []
        for index in order.prefix(max(1, limit)).sorted() {
            place[index] = rows.count
            var row = all[index].row
            row.parent = row.parent.flatMap { place[$0] }
            rows.append(row)
        }
        return (rows, all.count - rows.count)
    }
}
