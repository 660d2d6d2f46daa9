import CLinux
import Glibc

/// Reads an access log in the Common or Combined Log Format (Apache's and nginx's default) into a corpus.
///
/// GET and HEAD alone: a log does not hold the bodies of others; they are counted in a note. A good answer is one with a
/// status the log has for the endpoint, below 500. Bounded: 1,000 endpoints (further ones are counted), 50 different
/// targets each (a sample, each as likely as the others), lines of 16 KiB.
package struct AccessLogCorpus: Sendable {
    package static let endpointLimit = 1_000
    package static let targetLimit = 50
    package static let lineLimit = 16_384

    private struct Endpoint: Sendable {
        var method: String
        var count: UInt64 = 0
        var statuses: Set<Int> = []
        var targets: [String] = []
        var known: Set<String> = []
        var different: UInt64 = 0
    }

    private var endpoints: [String: Endpoint] = [:]
    private var random: SeededRandom
    private var unread: UInt64 = 0
    private var withBody: UInt64 = 0
    private var beyond: UInt64 = 0

    package init(seed: UInt64) {
        random = SeededRandom(seed: seed, part: -4)
    }

    /// Takes up one line, without its line end.
    package mutating func add(line: ArraySlice<UInt8>) {
        guard let entry = AccessLogEntry(line) else {
            unread += line.contains { $0 > 32 } ? 1 : 0
            return
        }
        guard entry.method == "GET" || entry.method == "HEAD" else { return withBody += 1 }
        let name = entry.method + " " + Self.shape(of: entry.target)
        guard var endpoint = endpoints[name] ?? newEndpoint(entry.method) else { return beyond += 1 }
        endpoint.count += 1
        if entry.status < 500 { endpoint.statuses.insert(entry.status) }
        keep(entry.target, &endpoint)
        endpoints[name] = endpoint
    }

    private func newEndpoint(_ method: String) -> Endpoint? {
        endpoints.count < Self.endpointLimit ? Endpoint(method: method) : nil
    }

    /// Reservoir sampling over different targets (those that left may count again).
    private mutating func keep(_ target: String, _ endpoint: inout Endpoint) {
        guard !endpoint.known.contains(target) else { return }
        endpoint.different += 1
        if endpoint.targets.count < Self.targetLimit {
            endpoint.targets.append(target)
            endpoint.known.insert(target)
            return
        }
        let place = Int(random.next() % endpoint.different)
        guard place < Self.targetLimit else { return }
        endpoint.known.remove(endpoint.targets[place])
        endpoint.targets[place] = target
        endpoint.known.insert(target)
    }

    /// The endpoints, the most asked first.
    package var corpus: LoadCorpus {
        var result = LoadCorpus(endpoints: [])
        var failing = 0
        for (name, endpoint) in endpoints.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
            guard !endpoint.statuses.isEmpty else {
                failing += 1
                continue
            }
            let requests = endpoint.targets.map { target in
                RequestTemplate(
                    name: name, method: endpoint.method, path: TextTemplate(literal: target),
                    expectedStatuses: endpoint.statuses)
            }
            var found = LoadCorpus.Endpoint(
                name: name, requests: requests, weight: Double(endpoint.count), isSafe: true)
            found.paths = endpoint.targets
            result.endpoints.append(found)
        }
        if withBody > 0 {
            result.notes.append("\(withBody) requests that have a body are left out: a log does not hold it")
        }
        if unread > 0 { result.notes.append("\(unread) lines are in another format") }
        if beyond > 0 { result.notes.append("\(beyond) requests to endpoints beyond the first \(Self.endpointLimit)") }
        if failing > 0 { result.notes.append("\(failing) endpoints that only failed in the log are left out") }
        return result
    }

    /// A path without its query, with segments that look like identifiers in braces.
    static func shape(of target: String) -> String {
        let path = target.prefix { $0 != "?" }
        return path.split(separator: "/", omittingEmptySubsequences: false).map { segment in
            isIdentifier(segment) ? "{id}" : String(segment)
        }.joined(separator: "/")
    }

    private static func isIdentifier(_ segment: Substring) -> Bool {
        let bytes = segment.utf8
        guard !bytes.isEmpty else { return false }
        let digits = bytes.count { (48...57).contains($0) }
        if digits == bytes.count { return true }
        let isHexadecimal = bytes.allSatisfy {
            (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0) || $0 == UInt8(ascii: "-")
        }
        return (isHexadecimal && bytes.count >= 8 && digits > 0) || segment.contains("@") || segment.contains("%40")
            || (bytes.count >= 20 && digits * 5 >= bytes.count)
    }

    /// Reads a whole file; nil when it cannot be opened or read.
    package static func read(path: String, seed: UInt64) -> LoadCorpus? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var log = AccessLogCorpus(seed: seed)
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            var rest = chunk[..<count]
            while let end = rest.firstIndex(of: 0x0a) {
                line += rest[..<end].prefix(max(0, lineLimit - line.count))
                log.add(line: line[...])
                line.removeAll(keepingCapacity: true)
                rest = rest[(end + 1)...]
            }
            line += rest.prefix(max(0, lineLimit - line.count))
        }
        if !line.isEmpty { log.add(line: line[...]) }
        return log.corpus
    }
}

/// One line: `host ident user [time] "METHOD target HTTP/1.1" status bytes`, and whatever follows.
struct AccessLogEntry: Hashable {
    var method: String
    var target: String
    var status: Int

    /// Nil when the line is something else, or its target cannot be sent as it stands.
    init?(_ line: ArraySlice<UInt8>) {
        guard let timeEnd = line.firstIndex(of: UInt8(ascii: "]")),
            let quote = line[timeEnd...].firstIndex(of: UInt8(ascii: "\"")),
            let end = line[(quote + 1)...].firstIndex(of: UInt8(ascii: "\""))
        else { return nil }
        let words = line[(quote + 1)..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let after = line[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard words.count == 3, words[2].starts(with: "HTTP/".utf8), let first = after.first, first.count == 3,
            let status = Int(String(decoding: first, as: UTF8.self)), (100...599).contains(status),
            words[0].allSatisfy({ (65...90).contains($0) }), !words[0].isEmpty,
            words[1].first == UInt8(ascii: "/"),
            words[1].allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") })
        else { return nil }
        method = String(decoding: words[0], as: UTF8.self)
        target = String(decoding: words[1], as: UTF8.self)
        self.status = status
    }
}
