import CCurl
import Glibc

/// One transfer as libcurl sees it: the easy handle and everything it points to. Lives on one thread alone.
struct EasyTransfer {
    let transfer: Transfer
    let handle: UnsafeMutableRawPointer
    private let answer: AnswerKind
    private let watch: ProgressWatch
    private let pinned: PinnedParts
    /// Host or socket path, for errors.
    private let peer: String

    private enum AnswerKind {
        case response(AnswerBuffer)
        case mail(MailDialogue)
    }

    /// Throws `.failed` when the request is malformed.
    init(transfer: Transfer, remainingSeconds: Double) throws(OutboundError) {
        let job = transfer.job
        let destination: Destination
        switch job.kind {
        case .request(let request):
            destination = try Destination(request.target)
            try request.checkSyntax()
        case .mail(let mail):
            destination = try Destination(mail)
        }
        guard let handle = curl_easy_init() else { throw .failed("libcurl has no memory for another transfer") }
        switch job.kind {
        case .request(let request):
            watch = ProgressWatch(request.progress, bodyBytes: request.body.count)
            answer = .response(AnswerBuffer(limit: request.maxResponseBytes, oversize: request.oversize, watch: watch))
        case .mail(let mail):
            watch = ProgressWatch(mail.progress, bodyBytes: mail.message.count)
            answer = .mail(MailDialogue(mail, watch: watch, handle: handle, transfer: transfer))
        }
        pinned = PinnedParts(job)
        self.transfer = transfer
        self.handle = handle
        peer = destination.peer
        let setup = EasySetup(handle: handle)
        let milliseconds = Int((remainingSeconds * 1000).rounded(.up))
        let connectMilliseconds = job.connectSeconds.map { Int(($0 * 1000).rounded(.up)) } ?? milliseconds
        setup.common(milliseconds: milliseconds, connectMilliseconds: connectMilliseconds)
        setup.destination(destination)
        setup.address(pinned)
        switch (job.kind, answer) {
        case (.request(let request), .response(let buffer)): setup.request(request, pinned, buffer, watch)
        case (.mail(let mail), .mail(let dialogue)): setup.mail(mail, pinned, dialogue)
        default: break
        }
        if let failure = setup.failure {
            free()
            throw .failed("libcurl: \(String(cString: curl_easy_strerror(failure)))")
        }
    }

    func free() {
        curl_easy_cleanup(handle)
        pinned.free()
    }

    func outcome(_ code: CURLcode) -> Transfer.Outcome {
        switch answer {
        case .response(let buffer): outcome(code, buffer)
        case .mail(let dialogue): outcome(code, dialogue)
        }
    }

    private func outcome(_ code: CURLcode, _ buffer: AnswerBuffer) -> Transfer.Outcome {
        if buffer.overflowed {
            return .failure(.tooLarge("\(peer) answered with more than \(buffer.limit) bytes"))
        }
        guard code == CURLE_OK || buffer.isCut else { return .failure(failure(code)) }
        watch.answerIsRead()
        let status = ccurl_get_long(handle, CURLINFO_RESPONSE_CODE)
        return .success(
            .response(
                OutboundResponse(
                    status: status, headers: buffer.headers, body: buffer.body, isCut: buffer.isCut)))
    }

    private func outcome(_ code: CURLcode, _ dialogue: MailDialogue) -> Transfer.Outcome {
        // What was answered was told at once, so this is the end of a dialogue without an answer, or of a login.
        if dialogue.overflowed { return .failure(.tooLarge("\(peer) said more than a mail server has to say")) }
        if code != CURLE_OPERATION_TIMEDOUT, code != CURLE_ABORTED_BY_CALLBACK, let answer = dialogue.answer() {
            watch.answerIsRead()
            return .success(.mail(answer))
        }
        guard code == CURLE_OK else { return .failure(failure(code)) }
        // libcurl is content although the replies could not be told apart: then its word counts.
        watch.answerIsRead()
        return .success(.mail(MailAnswer(code: 250, text: "250 accepted")))
    }

    private func failure(_ code: CURLcode) -> OutboundError {
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return .cannotConnect("cannot connect to \(peer): \(reason(code))")
        // Mail is aborted when its time is over or nobody waits for it.
        case CURLE_OPERATION_TIMEDOUT, CURLE_ABORTED_BY_CALLBACK:
            if let limit = transfer.job.connectSeconds, ccurl_get_offset(handle, CURLINFO_CONNECT_TIME_T) <= 0 {
                return .cannotConnect("cannot connect to \(peer): no connection within \(limit) s")
            }
            let limit = transfer.job.allowedSeconds
            return .timedOut("no complete answer from \(peer) within \(limit) s")
        case CURLE_USE_SSL_FAILED:
            return .failed("\(peer) does not offer STARTTLS, so nothing was sent")
        case CURLE_LOGIN_DENIED:
            return .failed("\(peer) offers no way of logging in that is known here")
        default:
            return .failed("request to \(peer) failed: \(reason(code))")
        }
    }

    private func reason(_ code: CURLcode) -> String {
        let number = ccurl_get_long(handle, CURLINFO_OS_ERRNO)
        if code == CURLE_COULDNT_CONNECT, number > 0 {
            return String(cString: strerror(Int32(number)))
        }
        return String(cString: curl_easy_strerror(code))
    }
}

/// What libcurl does not copy, so that it must live as long as the transfer.
struct PinnedParts {
    let headers: UnsafeMutablePointer<curl_slist>?
    let recipients: UnsafeMutablePointer<curl_slist>?
    let connectTo: UnsafeMutablePointer<curl_slist>?
    let onlyAddress: UnsafeMutablePointer<ccurl_address>?

    init(_ job: Job) {
        switch job.kind {
        case .request(let request):
            headers = Self.list(Self.headerLines(request))
            recipients = nil
        case .mail(let mail):
            headers = nil
            recipients = Self.list(mail.recipients.map { "<\($0)>" })
        }
        guard let address = job.address else {
            connectTo = nil
            onlyAddress = nil
            return
        }
        // Any host, any port: this address, the same port.
        connectTo = Self.list(["::\(address.inURL):"])
        let only = UnsafeMutablePointer<ccurl_address>.allocate(capacity: 1)
        only.initialize(to: ccurl_address())
        only.pointee.length = UInt32(address.bytes.count)
        withUnsafeMutableBytes(of: &only.pointee.bytes) { $0.copyBytes(from: address.bytes) }
        onlyAddress = only
    }

    func free() {
        curl_slist_free_all(headers)
        curl_slist_free_all(recipients)
        curl_slist_free_all(connectTo)
        onlyAddress?.deallocate()
    }

    private static func headerLines(_ request: OutboundRequest) -> [String] {
        // libcurl would wait for "100 Continue" and invent a form content type.
        var lines = ["Expect:"]
        if !request.headers.contains(where: { $0.0.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        // libcurl sends a header without a value only when it ends in ";".
        return lines + request.headers.map { $0.1.isEmpty ? "\($0.0);" : "\($0.0): \($0.1)" }
    }

    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        lines.reduce(nil) { list, line in curl_slist_append(list, line) ?? list }
    }
}
