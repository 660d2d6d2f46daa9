/// Writes requests as bytes. Pure; keeps its buffers between requests.
struct RequestWriter {
    private let seed: UInt64
    private let hosts: [[UInt8]]
    private(set) var bytes: [UInt8] = []
    private var body: [UInt8] = []

    init(plan: LoadPlan) {
        seed = plan.seed
        hosts = plan.targets.map { target in
            let host = target.host.utf8.contains(UInt8(ascii: ":")) ? "[\(target.host)]" : target.host
            return Array("\r\nhost: \(host):\(target.port)\r\n".utf8)
        }
    }

    /// Fills `bytes`; false when a captured value the request needs is not there.
    ///
    /// The random numbers of a request depend on the seed, its stream and its index alone, so that they do not change
    /// with the order in which requests find a connection.
    mutating func write(_ request: RequestTemplate, _ job: Job, captured: CapturedValues) -> Bool {
        var random = SeededRandom(seed: seed ^ job.origin.salt, part: Int(truncatingIfNeeded: job.index))
        bytes.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: request.method.utf8)
        bytes.append(UInt8(ascii: " "))
        guard request.path.append(to: &bytes, index: job.index, random: &random, captured: captured) else {
            return false
        }
        bytes.append(contentsOf: " HTTP/1.1".utf8)
        bytes.append(contentsOf: hosts[job.target])
        for header in request.headers {
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            guard header.value.append(to: &bytes, index: job.index, random: &random, captured: captured) else {
                return false
            }
            bytes.append(contentsOf: "\r\n".utf8)
        }
        switch request.body {
        case .none: break
        case .text(let template):
            guard template.append(to: &body, index: job.index, random: &random, captured: captured) else {
                return false
            }
            finishHead()
        case .build(let build):
            body = build(job.index, &random)
            finishHead()
        }
        if job.isAlone { bytes.append(contentsOf: "connection: close\r\n".utf8) }
        bytes.append(contentsOf: "\r\n".utf8)
        bytes.append(contentsOf: body)
        return true
    }

    private mutating func finishHead() {
        bytes.append(contentsOf: "content-length: ".utf8)
        bytes.append(contentsOf: String(body.count).utf8)
        bytes.append(contentsOf: "\r\n".utf8)
    }
}

extension Job.Origin {
    fileprivate var salt: UInt64 {
        switch self {
        case .preparation(let step): 0x7072_6570_0000_0000 | UInt64(step)
        case .stream(let stream): 0x7374_7265_0000_0000 | UInt64(stream)
        }
    }
}
