namespace Althing.Tests.Broker.Conformance;

/// <summary>
/// The normative statements of MQTT 5.0 by their identifiers, each with a few words of ours and, where no test can show it here, the reason.
/// </summary>
static class Statements5
{
    /// <summary>How many statements each section has. Section 2.2.1 begins with 2.</summary>
    public static readonly (string Section, int Count)[] Sections =
    [
        ("1.5.4", 3), ("1.5.5", 1), ("1.5.7", 1), ("2.1.3", 1), ("2.2.1", 5), ("2.2.2", 1), ("3.1.0", 2), ("3.1.2", 30), ("3.1.3", 12), ("3.1.4", 6),
        ("3.2.0", 2), ("3.2.2", 22), ("3.3.1", 13), ("3.3.2", 20), ("3.3.4", 10), ("3.4.2", 3), ("3.5.2", 3), ("3.6.1", 1), ("3.6.2", 3), ("3.7.2", 3),
        ("3.8.1", 1), ("3.8.3", 5), ("3.8.4", 8), ("3.9.2", 2), ("3.9.3", 2), ("3.10.1", 1), ("3.10.3", 2), ("3.10.4", 6), ("3.11.2", 2), ("3.11.3", 2),
        ("3.12.4", 1), ("3.14.0", 1), ("3.14.1", 1), ("3.14.2", 4), ("3.14.4", 3), ("3.15.1", 1), ("3.15.2", 3), ("4.1.0", 2), ("4.2.0", 1), ("4.3.1", 1),
        ("4.3.2", 5), ("4.3.3", 13), ("4.4.0", 2), ("4.5.0", 2), ("4.6.0", 6), ("4.7.0", 1), ("4.7.1", 2), ("4.7.2", 1), ("4.7.3", 4), ("4.8.2", 6),
        ("4.9.0", 3), ("4.12.0", 7), ("4.12.1", 2), ("4.13.1", 1), ("4.13.2", 1), ("6.0.0", 4),
    ];

    public const string Table = """
        1.5.4-1 | strings are well-formed UTF-8
        1.5.4-2 | without U+0000
        1.5.4-3 | U+FEFF is a character like others
        1.5.5-1 | variable integers are as short as can be
        1.5.7-1 | both strings of a pair are UTF-8
        2.1.3-1 | reserved flags have their value
        2.2.1-2 | QoS 0 has no identifier
        2.2.1-3 | a client's identifiers are not zero
        2.2.1-4 | the server's identifiers are unused and not zero
        2.2.1-5 | acknowledgements have the identifier of their PUBLISH
        2.2.1-6 | SUBACK and UNSUBACK have the identifier of what they answer
        2.2.2-1 | no properties are a length of 0
        3.1.0-1 | CONNECT comes first
        3.1.0-2 | a second CONNECT closes
        3.1.2-1 | another protocol name is refused
        3.1.2-2 | another version is refused
        3.1.2-3 | the reserved flag is 0
        3.1.2-4 | a clean start throws the session away
        3.1.2-5 | else it is resumed
        3.1.2-6 | or made
        3.1.2-7 | a will is kept with the session
        3.1.2-8 | and published when the connection ends, or later
        3.1.2-9 | a will flag needs a will
        3.1.2-10 | a will is published once, and not after a normal DISCONNECT
        3.1.2-11 | no will flag, will QoS 0
        3.1.2-12 | the will's QoS is not 3
        3.1.2-13 | no will flag, will retain 0
        3.1.2-14 | a will that is not to be retained is not
        3.1.2-15 | a will that is to be retained is
        3.1.2-16 | no user name flag, no user name
        3.1.2-17 | a user name flag needs a user name
        3.1.2-18 | no password flag, no password
        3.1.2-19 | a password flag needs a password
        3.1.2-20 | a client pings in time | client
        3.1.2-21 | a client uses the server's keep-alive | client
        3.1.2-22 | silence of one and a half keep-alives closes
        3.1.2-23 | the session is kept for its interval
        3.1.2-24 | no packet is larger than the client takes
        3.1.2-25 | a message too large counts as sent
        3.1.2-26 | no alias beyond the client's maximum
        3.1.2-27 | no alias where none are taken
        3.1.2-28 | no response information unless asked
        3.1.2-29 | no reason strings where they are not wanted
        3.1.2-30 | a client that authenticates waits for CONNACK | client
        3.1.3-1 | the payload's fields stand in order
        3.1.3-2 | the client id names the session
        3.1.3-3 | the client id comes first
        3.1.3-4 | the client id is UTF-8
        3.1.3-5 | plain client ids are allowed
        3.1.3-6 | an empty client id is replaced by a new one
        3.1.3-7 | which CONNACK tells
        3.1.3-8 | a client id that is refused closes
        3.1.3-9 | a client that is back in time has no will sent
        3.1.3-10 | the will's user properties keep their order
        3.1.3-11 | the will topic is UTF-8
        3.1.3-12 | the user name is UTF-8
        3.1.4-1 | a CONNECT that does not conform closes
        3.1.4-2 | so does one that is not let in
        3.1.4-3 | a second client of an id ends the first with 0x8E
        3.1.4-4 | clean start is acted upon
        3.1.4-5 | CONNACK 0 answers
        3.1.4-6 | nothing is taken after a refused CONNECT
        3.2.0-1 | the server's first packet is CONNACK
        3.2.0-2 | there is one CONNACK
        3.2.2-1 | CONNACK's reserved flags are 0
        3.2.2-2 | a clean start has no session present
        3.2.2-3 | a kept session is present
        3.2.2-4 | a client without state closes when there is a session | client
        3.2.2-5 | a client throws its state away when there is none | client
        3.2.2-6 | a refusal has no session present
        3.2.2-7 | a refusal is followed by the close
        3.2.2-8 | no other codes than those there are
        3.2.2-9 | a lesser QoS is told
        3.2.2-10 | subscriptions of a greater QoS are taken anyway
        3.2.2-11 | a client keeps to the QoS it was told | client
        3.2.2-12 | a will of a greater QoS is refused
        3.2.2-13 | retained wills are refused where there are none | Retained messages are served; PublishTests show it.
        3.2.2-14 | a client does not retain where that is not served | client
        3.2.2-15 | a client sends nothing larger than it was told | client
        3.2.2-16 | an empty client id is answered with the new one
        3.2.2-17 | a client uses no alias beyond the maximum | client
        3.2.2-18 | nor any where none is told | client
        3.2.2-19 | a reason string too large is left out
        3.2.2-20 | so are user properties | CONNACK has none.
        3.2.2-21 | a client uses the server's keep-alive | client
        3.2.2-22 | without one, the client's own holds
        3.3.1-1 | a message sent again is marked
        3.3.1-2 | QoS 0 is never marked
        3.3.1-3 | the mark is not passed on
        3.3.1-4 | QoS 3 closes
        3.3.1-5 | a retained message replaces the one before
        3.3.1-6 | an empty one removes it
        3.3.1-7 | an empty one is not stored
        3.3.1-8 | what is not to be retained changes nothing
        3.3.1-9 | retain handling 0 sends
        3.3.1-10 | 1 sends to new subscriptions
        3.3.1-11 | 2 does not send
        3.3.1-12 | the flag is cleared
        3.3.1-13 | or kept as published
        3.3.2-1 | the topic comes first and is UTF-8
        3.3.2-2 | the topic has no wildcards
        3.3.2-3 | the topic matches the subscription
        3.3.2-4 | the payload format is passed on
        3.3.2-5 | expired messages are deleted
        3.3.2-6 | the expiry is counted down
        3.3.2-7 | aliases end with the connection
        3.3.2-8 | no alias is 0
        3.3.2-9 | an alias beyond the maximum closes
        3.3.2-10 | a client takes the aliases it offered | client
        3.3.2-11 | no alias beyond the client's maximum
        3.3.2-12 | all aliases within the maximum are taken
        3.3.2-13 | the response topic is UTF-8
        3.3.2-14 | without wildcards
        3.3.2-15 | and is passed on
        3.3.2-16 | correlation data are passed on
        3.3.2-17 | user properties are passed on
        3.3.2-18 | in their order
        3.3.2-19 | the content type is UTF-8
        3.3.2-20 | and is passed on
        3.3.4-1 | each QoS has its answer
        3.3.4-2 | overlapping subscriptions bring the greatest QoS
        3.3.4-3 | with their identifiers
        3.3.4-4 | all of them in one copy
        3.3.4-5 | or each its own in many copies | There is one copy for each session, with all identifiers; shared subscriptions carry the one of their own.
        3.3.4-6 | a client's PUBLISH has no subscription identifier
        3.3.4-7 | a client keeps to the receive maximum
        3.3.4-8 | and holds back nothing else | client
        3.3.4-9 | the server keeps to the client's
        3.3.4-10 | and holds back nothing else
        3.4.2-1 | PUBACK has a code of its own
        3.4.2-2 | a reason string too large is left out
        3.4.2-3 | so are user properties | PUBACK has none.
        3.5.2-1 | PUBREC has a code of its own
        3.5.2-2 | a reason string too large is left out
        3.5.2-3 | so are user properties | PUBREC has none.
        3.6.1-1 | PUBREL's flags are 2
        3.6.2-1 | PUBREL has a code of its own
        3.6.2-2 | a reason string too large is left out | The broker's PUBREL has none.
        3.6.2-3 | so are user properties | The broker's PUBREL has none.
        3.7.2-1 | PUBCOMP has a code of its own
        3.7.2-2 | a reason string too large is left out | The broker's PUBCOMP has none.
        3.7.2-3 | so are user properties | The broker's PUBCOMP has none.
        3.8.1-1 | SUBSCRIBE's flags are 2
        3.8.3-1 | filters are UTF-8
        3.8.3-2 | there is a filter
        3.8.3-3 | no local keeps a client's own away
        3.8.3-4 | but not on shared subscriptions
        3.8.3-5 | reserved bits are 0
        3.8.4-1 | SUBACK answers
        3.8.4-2 | with the same identifier
        3.8.4-3 | the same filter replaces
        3.8.4-4 | and brings retained messages again, and loses none
        3.8.4-5 | many filters are as many packets
        3.8.4-6 | a code for each filter
        3.8.4-7 | with the QoS, or why not
        3.8.4-8 | QoS of messages is the lesser one
        3.9.2-1 | a reason string too large is left out
        3.9.2-2 | so are user properties | SUBACK has none.
        3.9.3-1 | codes in order of the filters
        3.9.3-2 | no other codes than those there are
        3.10.1-1 | UNSUBSCRIBE's flags are 2
        3.10.3-1 | filters are UTF-8
        3.10.3-2 | there is a filter
        3.10.4-1 | filters are compared character by character
        3.10.4-2 | no new messages after it
        3.10.4-3 | what was begun is ended
        3.10.4-4 | UNSUBACK answers
        3.10.4-5 | with the identifier, even when nothing was removed
        3.10.4-6 | many filters are as many packets
        3.11.2-1 | a reason string too large is left out | UNSUBACK has none.
        3.11.2-2 | so are user properties | UNSUBACK has none.
        3.11.3-1 | codes in order of the filters
        3.11.3-2 | no other codes than those there are
        3.12.4-1 | PINGREQ is answered
        3.14.0-1 | no DISCONNECT before CONNACK
        3.14.1-1 | DISCONNECT's flags are 0
        3.14.2-1 | DISCONNECT has a code of its own
        3.14.2-2 | the server sends no session expiry
        3.14.2-3 | a reason string too large is left out
        3.14.2-4 | so are user properties | DISCONNECT has none.
        3.14.4-1 | after DISCONNECT nothing more is sent
        3.14.4-2 | and the connection closed
        3.14.4-3 | a normal one throws the will away
        3.15.1-1 | AUTH's flags are 0
        3.15.2-1 | AUTH has a code of its own | The broker sends no AUTH; a client's is refused whatever it has.
        3.15.2-2 | a reason string too large is left out | The broker sends no AUTH.
        3.15.2-3 | so are user properties | The broker sends no AUTH.
        4.1.0-1 | state is kept while there is a connection
        4.1.0-2 | and thrown away when the interval is over
        4.2.0-1 | an ordered, lossless stream is served
        4.3.1-1 | QoS 0 is sent as such
        4.3.2-1 | QoS 1 has an unused identifier
        4.3.2-2 | and is not marked at first
        4.3.2-3 | and is kept until acknowledged
        4.3.2-4 | QoS 1 is acknowledged
        4.3.2-5 | after that its identifier is of a new message
        4.3.3-1 | QoS 2 has an unused identifier
        4.3.3-2 | and is not marked at first
        4.3.3-3 | and is kept until PUBREC
        4.3.3-4 | PUBREL answers PUBREC
        4.3.3-5 | and is kept until PUBCOMP
        4.3.3-6 | after PUBREL there is no PUBLISH again
        4.3.3-7 | what was sent does not expire
        4.3.3-8 | PUBREC answers QoS 2
        4.3.3-9 | after a refusal the identifier is of a new message
        4.3.3-10 | before PUBREL the message is the same
        4.3.3-11 | PUBCOMP answers PUBREL
        4.3.3-12 | after that the identifier is of a new message
        4.3.3-13 | the steps go on when a message has expired
        4.4.0-1 | after a reconnect, and only then, what is not acknowledged goes again
        4.4.0-2 | a refusal is an acknowledgement
        4.5.0-1 | messages join the sessions that match
        4.5.0-2 | a client acknowledges what it gets | client
        4.6.0-1 | a client sends again in order | client
        4.6.0-2 | a client's PUBACK in order | client
        4.6.0-3 | a client's PUBREC in order | client
        4.6.0-4 | a client's PUBREL in order | client
        4.6.0-5 | messages come in the order they were sent
        4.6.0-6 | on every topic
        4.7.0-1 | no wildcards in topics
        4.7.1-1 | # is alone and last
        4.7.1-2 | + is alone in its level
        4.7.2-1 | wildcards in front leave $ alone
        4.7.3-1 | topics are not empty
        4.7.3-2 | topics have no null
        4.7.3-3 | topics of up to 65535 bytes
        4.7.3-4 | topics are not normalized
        4.8.2-1 | a share has a name
        4.8.2-2 | without wildcards, and a filter behind it
        4.8.2-3 | members get the QoS they were granted
        4.8.2-4 | a QoS 2 message is ended with the member that has it
        4.8.2-5 | and with nobody else
        4.8.2-6 | a refusal is for all members
        4.9.0-1 | sending begins with a quota
        4.9.0-2 | which messages in flight use up
        4.9.0-3 | and nothing else waits for
        4.12.0-1 | another authentication method closes
        4.12.0-2 | AUTH from the server continues | The broker sends no AUTH.
        4.12.0-3 | AUTH from the client continues | client
        4.12.0-4 | authentication may be refused at any point
        4.12.0-5 | the method is the same throughout | No method is offered, so none goes on.
        4.12.0-6 | without a method there is no AUTH from the server
        4.12.0-7 | nor from the client
        4.12.1-1 | re-authentication has the first method | client
        4.12.1-2 | when it fails, the connection is closed | AUTH closes in any case; PacketFormTests show it.
        4.13.1-1 | an error of the protocol closes
        4.13.2-1 | a code of 0x80 or more closes
        6.0.0-1 | WebSocket frames are binary
        6.0.0-2 | packets need not fit frames
        6.0.0-3 | a client offers the sub-protocol mqtt | client
        6.0.0-4 | the server answers mqtt
        """;
}
