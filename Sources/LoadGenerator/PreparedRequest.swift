/// A request made ready for being sent often: what does not change is written once.
final class PreparedRequest {
    let template: RequestTemplate
    let isHead: Bool
    let readsBody: Bool
    let readsHeaders: Bool
    /// Whether a status is a good one.
    private let expects: [Bool]
    private let extractions: [Extraction]
    private let namesHost: Bool
    /// The whole request for each target when nothing of it changes: kept, and on a connection of its own.
    private var constant: [(kept: [UInt8], alone: [UInt8])] = []
    private let hosts: [[UInt8]]
    private var bytes: [UInt8] = []
    private var body: [UInt8] = []

    init(_ template: RequestTemplate, hosts: [[UInt8]]) {
        self.template = template
        self.hosts = hosts
        isHead = template.method == "HEAD"
        readsBody = template.readsBody
        readsHeaders = template.readsHeaders
        expects = (0..<600).map(template.expectedStatuses.contains)
        extractions = template.extractions + template.shared
        namesHost = template.headers.contains { $0.name.lowercased() == "host" }
        guard template.isConstant else { return }
        var inputs = TemplateInputs(index: 0, random: SeededRandom(seed: 0))
        for target in hosts.indices {
            guard write(target, isAlone: false, &inputs) else { return }
            let kept = bytes
            guard write(target, isAlone: true, &inputs) else { return }
            constant.append((kept, bytes))
        }
    }

    /// True when it can be sent without inputs.
    var isConstant: Bool { constant.count == hosts.count }

    /// Gives the bytes of a constant request.
    func withConstant(_ target: Int, isAlone: Bool, _ body: (UnsafeRawBufferPointer) -> Void) {
        if isAlone {
            constant[target].alone.withUnsafeBytes(body)
        } else {
            constant[target].kept.withUnsafeBytes(body)
        }
    }

    /// Writes the request and gives its bytes; false when a value it needs is not there.
    func withBytes(
        _ target: Int, isAlone: Bool, _ inputs: inout TemplateInputs, _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        guard write(target, isAlone: isAlone, &inputs) else { return false }
        bytes.withUnsafeBytes(body)
        return true
    }

    private func write(_ target: Int, isAlone: Bool, _ inputs: inout TemplateInputs) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: template.method.utf8)
        bytes.append(UInt8(ascii: " "))
        guard template.path.append(to: &bytes, &inputs) else { return false }
        bytes.append(contentsOf: " HTTP/1.1\r\n".utf8)
        if !namesHost { bytes.append(contentsOf: hosts[target]) }
        for header in template.headers {
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            guard header.value.append(to: &bytes, &inputs) else { return false }
            bytes.append(contentsOf: "\r\n".utf8)
        }
        switch template.body {
        case .none: break
        case .text(let text):
            guard text.append(to: &body, &inputs) else { return false }
            finishHead()
        case .build(let build):
            body = build(inputs.index, &inputs.random)
            finishHead()
        }
        if isAlone { bytes.append(contentsOf: "connection: close\r\n".utf8) }
        bytes.append(contentsOf: "\r\n".utf8)
        bytes.append(contentsOf: body)
        return true
    }

    private func finishHead() {
        bytes.append(contentsOf: "content-length: ".utf8)
        bytes.append(contentsOf: String(body.count).utf8)
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// Decides whether a complete answer is a good one, and takes from it what is to be remembered.
    func judge(
        _ answer: ResponseParser, captured: inout CapturedValues, local: inout [FlowValue]
    ) -> RequestOutcome {
        let status = answer.status
        guard expects[min(max(status, 0), 599)] else {
            if status == 503 { return .failed(.http503, status: status, detail: "the service says it is unavailable") }
            if status >= 500 { return .failed(.http5xx, status: status, detail: "the service failed") }
            return .failed(.wrongAnswer, status: status, detail: "this status was not expected")
        }
        guard readsBody || readsHeaders else { return .answered(status: status) }
        let (headers, body) = (answer.headers, answer.body)
        if let text = template.expectedText, body[...].firstRange(of: Array(text.utf8)) == nil {
            return .failed(.wrongAnswer, status: status, detail: "the answer lacks the expected text")
        }
        for check in template.checks {
            if let problem = check.problem(headers: headers, body: body) {
                return .failed(.wrongAnswer, status: status, detail: problem)
            }
        }
        for capture in extractions {
            guard let value = capture.source.value(headers: headers, body: body) else {
                return .failed(.wrongAnswer, status: status, detail: "the answer has no \(capture.source.words)")
            }
            if capture.isShared {
                captured.add(value, as: capture.name)
            } else {
                local.removeAll { $0.name == capture.name }
                local.append(FlowValue(name: capture.name, value: value))
            }
        }
        return .answered(status: status)
    }
}

extension LoadTarget {
    /// The header line that names the host.
    var hostHeader: [UInt8] {
        guard socketPath == nil else { return Array("host: localhost\r\n".utf8) }
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return Array("host: \(name):\(port)\r\n".utf8)
    }
}
