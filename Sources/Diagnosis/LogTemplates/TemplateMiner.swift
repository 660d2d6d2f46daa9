import OakumModel

/// Sorts log lines into templates as they come, and counts each over time.
///
/// After Drain (He, Zhu, Zheng and Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017): lines
/// of the same number of words and the same first constant word are compared word by word; a line joins the template it
/// agrees with most, if it agrees enough, and words that differ become `<*>`. Unlike there, everything is bounded from the
/// start (``MinerLimits``). Templates hold constant words alone, never a value with a digit in it, a mail address or a
/// long token; a value of letters alone is seen in a template until a second line differs in it.
///
/// Cost: O(words × ``MinerLimits/alike``) a line at worst; 1.5 million ordinary lines a second in a release build, 160,000
/// of a flood in which every line is new.
package struct TemplateMiner: Sendable {
    /// Of lines whose template was forgotten.
    package static let otherLines: UInt32 = 0

    package let limits: MinerLimits
    /// Templates that made room for others so far.
    package private(set) var forgotten = 0
    /// Lines without a single word.
    package private(set) var emptyLines = 0
    private var templates: [Template?]
    private var groups: [Group: [Int]] = [:]
    private var others: BucketCounts
    private var othersSeen: (first: Double, last: Double)?
    private var nextID: UInt32 = 1
    private var linesUntilHalving: Int
    private var words: LineWords
    /// The latest bucket, by the lines' times.
    private var bucket = Int64.min
    /// The bucket of the first line: before it nobody counted.
    private var began: Int64?

    private struct Group: Hashable {
        var words: Int
        var first: UInt64
    }

    private struct Template: Sendable {
        var id: UInt32
        var group: Group
        var words: [LineWord]
        var firstSeen: Double
        var lastSeen: Double
        /// Lines lately: halved now and then.
        var recent: Int
        var counts: BucketCounts
    }

    package init(limits: MinerLimits = .standard) {
        self.limits = limits
        templates = Array(repeating: nil, count: limits.templates)
        others = BucketCounts(capacity: limits.buckets)
        words = LineWords(limits)
        linesUntilHalving = Self.halvingLines
    }

    /// Takes in a line without its line end.
    ///
    /// - Parameter seconds: when it was written or read; lines that come late count in the newest bucket.
    /// - Returns: the template's number; nil for a line without words or a time that is no number.
    @discardableResult
    package mutating func add(_ line: Span<UInt8>, at seconds: Double) -> UInt32? {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return nil }
        words.read(line)
        guard words.count > 0 else {
            emptyLines += 1
            return nil
        }
        bucket = max(bucket, Int64((seconds / limits.bucketSeconds).rounded(.down)))
        began = began ?? bucket
        age()
        let group = Group(words: words.count, first: words.keys.first { $0 != 0 } ?? 0)
        let slot = bestMatch(in: group) ?? begin(group, at: seconds)
        return count(slot, at: seconds)
    }

    @discardableResult
    package mutating func add(_ line: String, at seconds: Double) -> UInt32? {
        let bytes = Array(line.utf8)
        return add(bytes.span, at: seconds)
    }

    /// All templates with their counts, the busiest first; the lines of forgotten ones last, as one.
    package var patterns: [LogPattern] {
        var found = templates.compactMap { $0 }.map { template in
            LogPattern(
                id: template.id, template: template.words.map(\.text).joined(separator: " "),
                firstSeen: template.firstSeen, lastSeen: template.lastSeen, total: template.counts.total,
                counts: points(template.counts))
        }
        found.sort { ($0.total, $1.id) > ($1.total, $0.id) }
        if let othersSeen {
            found.append(
                LogPattern(
                    id: Self.otherLines, template: "(other lines)", firstSeen: othersSeen.first,
                    lastSeen: othersSeen.last, total: others.total,
                    counts: points(others)))
        }
        return found
    }

    private func points(_ counts: BucketCounts) -> [SeriesPoint] {
        guard let began else { return [] }
        return counts.points(from: began, until: bucket, width: limits.bucketSeconds)
    }

    // MARK: - Matching

    private func bestMatch(in group: Group) -> Int? {
        guard let slots = groups[group] else { return nil }
        var best: (slot: Int, agreed: Int, likeness: Double)?
        for slot in slots {
            guard let template = templates[slot] else { continue }
            var (agreed, constant) = (0, 0)
            for index in 0..<words.count {
                let (own, other) = (words.keys[index], template.words[index].key)
                guard own != 0 || other != 0 else { continue }
                // What is a wildcard already neither speaks for nor against.
                guard other != 0 else { continue }
                constant += 1
                if own == other { agreed += 1 }
            }
            let likeness = constant == 0 ? 1 : Double(agreed) / Double(constant)
            guard likeness >= limits.likeness else { continue }
            if let held = best, (held.likeness, held.agreed) >= (likeness, agreed) { continue }
            best = (slot, agreed, likeness)
        }
        guard let best else { return nil }
        return best.slot
    }

    private mutating func count(_ slot: Int, at seconds: Double) -> UInt32? {
        // Taken out while it is changed, so that its counts are not copied.
        guard var template = templates[slot].take() else { return nil }
        template.lastSeen = max(template.lastSeen, seconds)
        template.recent += 1
        template.counts.add(bucket)
        for index in 0..<words.count where words.keys[index] != template.words[index].key {
            template.words[index] = .wildcard
        }
        templates[slot] = template
        return template.id
    }

    private mutating func begin(_ group: Group, at seconds: Double) -> Int {
        let slot: Int
        if let crowded = groups[group], crowded.count >= limits.alike {
            slot = leastUsed(of: crowded)
        } else {
            slot = templates.firstIndex { $0 == nil } ?? leastUsed(of: Array(templates.indices))
        }
        forget(slot)
        templates[slot] = Template(
            id: nextID, group: group,
            words: (0..<words.count).map { LineWord(key: words.keys[$0], text: words.text($0)) },
            firstSeen: seconds, lastSeen: seconds, recent: 0, counts: BucketCounts(capacity: limits.buckets))
        nextID += 1
        groups[group, default: []].append(slot)
        return slot
    }

    // MARK: - Making room

    private func leastUsed(of slots: [Int]) -> Int {
        func rank(_ slot: Int) -> (Int, Double) {
            guard let template = templates[slot] else { return (-1, 0) }
            return (template.recent, template.lastSeen)
        }
        return slots.min { rank($0) < rank($1) } ?? 0
    }

    private mutating func forget(_ slot: Int) {
        guard let template = templates[slot] else { return }
        forgotten += 1
        others.merge(template.counts)
        othersSeen = (
            min(othersSeen?.first ?? template.firstSeen, template.firstSeen),
            max(othersSeen?.last ?? template.lastSeen, template.lastSeen)
        )
        groups[template.group]?.removeAll { $0 == slot }
        if groups[template.group]?.isEmpty == true { groups[template.group] = nil }
        templates[slot] = nil
    }

    private static let halvingLines = 65_536

    private mutating func age() {
        linesUntilHalving -= 1
        guard linesUntilHalving <= 0 else { return }
        linesUntilHalving = Self.halvingLines
        for slot in templates.indices { templates[slot]?.recent /= 2 }
    }
}
