"""Dead letters go back to where they came from."""

from ops.local.queues import QUEUES
from ops.target import Target

BATCH = 10


def put_back(target: Target) -> int:
    """Every dead letter to the queue that it died in; how many. A letter leaves its queue only after it is in the other."""
    return sum(_put_back(target, name) for name in QUEUES)


def _put_back(target: Target, name: str) -> int:
    sqs, dead, queue = target.client("sqs"), target.output(f"Dead{name}Url"), target.output(f"Queue{name}Url")
    count = 0
    while letters := sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=BATCH).get("Messages"):
        for letter in letters:
            sqs.send_message(QueueUrl=queue, MessageBody=letter["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
        count += len(letters)
    return count
